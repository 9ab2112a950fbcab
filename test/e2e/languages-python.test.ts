/** The library of workers/python, put to the rows of the table. */
import { python } from './languages/languages.ts';
import { describeLanguage } from './languages/table.ts';

describeLanguage(python);
