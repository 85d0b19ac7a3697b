import { type Check, type Finding, error, ok, warning } from '../check.ts';
import { atLeast, versionIn } from '../versions.ts';

/** The version in `engines` of package.json. */
const REQUIRED = [22, 13];

const remedy = {
  commands: ['nvm install 24', 'brew install node@24'],
  text: `hippo needs Node ${REQUIRED.join('.')} or later; 24 is the long-term release.`,
};

/** The Node that runs hippo, and the one that a start script finds on PATH. */
export const node: Check = {
  id: 'node',
  title: 'Node',
  category: 'tools',
  about: 'the Node that runs hippo, and the one on PATH',
  async run(environment, signal) {
    const own = process.versions.node;
    const findings: Finding[] = [];
    if (!atLeast(versionIn(own) ?? [], REQUIRED)) {
      findings.push(error(`hippo runs on Node ${own} (${process.execPath}), which is too old`, remedy));
    }
    const onPath = await environment.find('node');
    if (onPath === undefined) {
      findings.push(warning('There is no `node` on PATH: start-client.sh will not find one', remedy));
    } else {
      const { output } = await environment.ask(onPath, ['--version'], signal);
      const version = versionIn(output);
      if (version !== undefined && !atLeast(version, REQUIRED)) {
        findings.push(
          warning(`\`node\` on PATH (${onPath}) is ${version.join('.')}: too old for hippo`, remedy),
        );
      }
    }
    return { summary: own, findings: findings.length > 0 ? findings : [ok(process.execPath)] };
  },
};
