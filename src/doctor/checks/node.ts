import { REQUIRED, atLeast, versionIn } from '../../core/environment/index.ts';
import { type Check, type Finding, error, ok, warning } from '../check.ts';

const remedy = {
  commands: ['nvm install 24', 'brew install node@24'],
  text: `hippo needs Node ${REQUIRED.node.join('.')} or later; 24 is the long-term release.`,
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
    if (!atLeast(versionIn(own) ?? [], REQUIRED.node)) {
      findings.push(error(`hippo runs on Node ${own} (${process.execPath}), which is too old`, remedy));
    }
    const onPath = environment.find('node');
    if (onPath === undefined) {
      findings.push(warning('There is no `node` on PATH: start-client.sh will not find one', remedy));
    } else {
      const { output } = await environment.ask(onPath, ['--version'], signal);
      const version = versionIn(output);
      if (version !== undefined && !atLeast(version, REQUIRED.node)) {
        findings.push(
          warning(`\`node\` on PATH (${onPath}) is ${version.join('.')}: too old for hippo`, remedy),
        );
      }
    }
    return { summary: own, findings: findings.length > 0 ? findings : [ok(process.execPath)] };
  },
};
