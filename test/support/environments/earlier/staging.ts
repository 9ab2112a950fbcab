/** An environment as a team's clone of an earlier version has it in `config/`. */
import dev from '../../../../environments/dev.ts';

export default dev;
