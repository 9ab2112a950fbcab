const { roundTrip } = require('./round-trip.cjs');

roundTrip(require('temporal-codec-server'));
