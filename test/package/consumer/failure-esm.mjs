import { createDataConverter } from 'temporal-codec-server';
import { failure } from './failure.cjs';

failure(createDataConverter);
