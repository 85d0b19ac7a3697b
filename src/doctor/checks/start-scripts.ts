import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { UTF8_BOM, toUtf8Command, wideEncoding } from '../../core/encoding.ts';
import { type Check, type Finding, error, ok, skipped, warning } from '../check.ts';
import type { Environment } from '../environment.ts';

/** The scripts that start the client and its jobs: they exist, are executable, have an interpreter and no syntax errors. */
export const startScripts: Check = {
  id: 'start-scripts',
  title: 'Start scripts',
  category: 'project',
  about: 'start-client.sh and what the jobs and services run',
  async run(environment, signal) {
    const { project } = environment;
    if (project.state === 'none')
      return skipped('There is no hippo.yaml here or above: this is no hippo project');
    if (project.state === 'broken') return skipped('hippo.yaml cannot be used: see above');
    const { loaded } = project;
    const findings = await Promise.all(
      scriptsOf(loaded).map((script) => examine(script, loaded.directory, environment, signal)),
    );
    const fine = findings.filter(({ status }) => status === 'ok').length;
    return { summary: `${fine} of ${findings.length} fine`, findings };
  },
};

interface Script {
  path: string;
  /** The program that runs it. */
  user: string;
}

/** start-client.sh, and each job's and service's program that is a path (a bare name is looked up on PATH by the client). */
function scriptsOf({ config, directory }: Pick<LoadedConfig, 'config' | 'directory'>): Script[] {
  const scripts = new Map<string, Script>();
  const add = (program: string, user: string): void => {
    const path = isAbsolute(program) ? program : join(directory, program);
    if (!scripts.has(path)) scripts.set(path, { path, user });
  };
  add('start-client.sh', 'the supervisor');
  for (const [name, job] of Object.entries(config.jobs)) {
    const program = typeof job.run === 'string' ? job.run : job.run[0];
    if (program?.includes('/') === true) add(program, `job ${name}`);
  }
  for (const [name, service] of Object.entries(config.services)) {
    const program = typeof service.run === 'string' ? service.run : service.run[0];
    if (program?.includes('/') === true) add(program, `service ${name}`);
  }
  return [...scripts.values()];
}

async function examine(
  { path, user }: Script,
  directory: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<Finding> {
  const name = relative(directory, path).startsWith('..') ? path : relative(directory, path);
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) {
    const text = `${name} is missing: ${user} cannot start`;
    return name === 'start-client.sh'
      ? warning(text, { commands: ['hippo run'], text: 'The client also starts without it:' })
      : error(text, { commands: [`ls -l ${directory}`], text: 'hippo.yaml names it under `run`.' });
  }
  if (!info.isFile())
    return error(`${name} is not a file: ${user} cannot start`, { commands: [`ls -ld ${path}`] });
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable)
    return error(`${name} is not executable: ${user} cannot start`, { commands: [`chmod +x ${path}`] });
  const bytes = (await readFile(path)).subarray(0, 4096);
  const encoding = wideEncoding(bytes);
  if (encoding !== undefined) {
    return error(`${name} is ${encoding}: the system cannot start it`, {
      commands: [toUtf8Command(path, encoding)],
      text: 'Put the new file in its place:',
    });
  }
  const start = bytes.toString('latin1');
  // A binary needs no interpreter line, and bash cannot check its syntax.
  if (start.includes('\0')) return ok(name);
  return examineText({ name, path, start }, environment, signal);
}

/** @param script its first bytes as text */
async function examineText(
  { name, path, start }: { name: string; path: string; start: string },
  environment: Environment,
  signal: AbortSignal,
): Promise<Finding> {
  if (start.startsWith(String.fromCharCode(...UTF8_BOM))) {
    return error(`${name} begins with a byte order mark: the system does not see its #!`, {
      commands: [`sed -i '1s/^\\xEF\\xBB\\xBF//' ${path}`],
    });
  }
  const interpreter = /^#!\s*(\S+)(?:[ \t]+([^\r\n]+))?/.exec(start);
  if (interpreter === null) {
    return error(`${name} does not begin with #!: the system does not know what runs it`, {
      commands: [`sed -i '1i #!/usr/bin/env bash' ${path}`],
    });
  }
  if (/^[^\n]*\r\n/.test(start)) {
    return error(`${name} has Windows line ends: its interpreter is not found`, {
      commands: [`sed -i 's/\\r$//' ${path}`],
    });
  }
  const program =
    interpreter[1]?.endsWith('/env') === true ? envProgram(interpreter[2] ?? '') : (interpreter[1] ?? '');
  const found = environment.find(program);
  if (found === undefined) {
    return error(`${name} begins with ${interpreter[0]}, and there is no ${program}`, {
      commands: [`head -n 1 ${path}`],
    });
  }
  if (!/(^|\/)(ba|da|k|z)?sh$/.test(program)) return ok(name);
  const { exitCode, output } = await environment.ask(found, ['-n', path], signal);
  if (exitCode === 0) return ok(name);
  return error(`${name} has a syntax error: ${output.split('\n', 1)[0] ?? ''}`, {
    commands: [`${program} -n ${path}`],
  });
}

/** The program that `/usr/bin/env [-S] [NAME=value …] program` starts. */
function envProgram(words: string): string {
  return words.split(/\s+/).find((word) => word !== '' && !word.startsWith('-') && !word.includes('=')) ?? '';
}
