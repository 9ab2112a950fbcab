/** The library of workers/java, put to the rows of the table. */
import { java } from './languages/languages.ts';
import { describeLanguage } from './languages/table.ts';

describeLanguage(java);
