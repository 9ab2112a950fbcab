const { failure } = require('./failure.cjs');

failure(require('temporal-codec-server').createDataConverter);
