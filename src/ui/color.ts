import chalk, { chalkStderr } from 'chalk';

// https://no-color.org; chalk itself looks at FORCE_COLOR only, which goes before it here as it does in Node.
const { NO_COLOR: none = '', FORCE_COLOR: forced } = process.env;
if (none !== '' && forced === undefined) chalk.level = chalkStderr.level = 0;
