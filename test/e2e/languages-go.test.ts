/** The library of workers/go, put to the rows of the table. */
import { go } from './languages/languages.ts';
import { describeLanguage } from './languages/table.ts';

describeLanguage(go);
