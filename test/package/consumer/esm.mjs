import { createDataConverter, createPayloadCodec } from 'temporal-codec-server';
import { roundTrip } from './round-trip.cjs';

await roundTrip({ createDataConverter, createPayloadCodec });
