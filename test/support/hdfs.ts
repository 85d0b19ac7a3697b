/** A real HDFS: two NameNodes, of which one is active, and a DataNode, as plain Java processes from Maven's jars. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import getPort from 'get-port';
import { tryToConnect } from '../../src/core/connect.ts';
import { execa } from '../../src/core/exec.ts';
import { requireJava } from '../../src/stack/java.ts';
import { makeFolder } from './folder.ts';
import { hdfsJars } from './places.ts';
import { until } from './project.ts';

const JAVA = [
  '-Xmx128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.net.preferIPv4Stack=true',
  '--add-opens',
  'java.base/java.lang=ALL-UNNAMED',
];

interface NameNode {
  id: 'nn1' | 'nn2';
  http: string;
  rpc: string;
}

/** The user of all requests; the NameNodes run as its superuser. */
const USER = process.env['USER'] ?? 'root';

export class Hdfs {
  readonly #folder: string;
  readonly #java: string;
  readonly #nodes: readonly NameNode[];
  /** How each process that runs is killed. */
  readonly #processes = new Map<string, () => Promise<unknown>>();

  private constructor(folder: string, java: string, nodes: readonly NameNode[]) {
    this.#folder = folder;
    this.#java = java;
    this.#nodes = nodes;
  }

  /** The first NameNode is active. */
  static async start(): Promise<Hdfs> {
    const folder = await makeFolder('hdfs');
    const { command } = await requireJava(process.env);
    const address = async (): Promise<string> => `127.0.0.1:${await getPort({ host: '127.0.0.1' })}`;
    const nodes: NameNode[] = [
      { id: 'nn1', http: await address(), rpc: await address() },
      { id: 'nn2', http: await address(), rpc: await address() },
    ];
    const hdfs = new Hdfs(folder, command, nodes);
    for (const name of ['nn1', 'nn2', 'dn']) await hdfs.#configure(name);
    await hdfs.#run('nn1', 'org.apache.hadoop.hdfs.server.namenode.NameNode', ['-format', '-nonInteractive']);
    // What -bootstrapStandby would fetch from the first one.
    await cp(join(folder, 'name-nn1'), join(folder, 'name-nn2'), { recursive: true });
    hdfs.startNameNode(1);
    hdfs.startNameNode(2);
    hdfs.#start('dn', 'org.apache.hadoop.hdfs.server.datanode.DataNode');
    await hdfs.activate(1);
    await until(
      async () => (await hdfs.#jmx(0, 'FSNamesystemState'))?.['NumLiveDataNodes'] === 1,
      'the DataNode is there',
    );
    await until(() => hdfs.#isStandby(1), 'the NameNode 2 is a standby');
    return hdfs;
  }

  /** `http://host:port` of both, the one that was active first at the beginning. */
  get addresses(): string[] {
    return this.#nodes.map(({ http }) => `http://${http}`);
  }

  startNameNode(number: 1 | 2): void {
    this.#start(`nn${number}`, 'org.apache.hadoop.hdfs.server.namenode.NameNode');
  }

  /** Kills it. */
  async stopNameNode(number: 1 | 2): Promise<void> {
    await this.#kill(`nn${number}`);
  }

  /** Makes this one the active one. The other one is a standby, or has been stopped. */
  async activate(number: 1 | 2): Promise<void> {
    const address = this.addresses[number - 1] ?? '';
    const isUp = (): Promise<boolean> =>
      fetch(`${address}/jmx`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp, `the NameNode ${number} answers`);
    // Its RPC port opens later than that of HTTP.
    const [host = '', port] = (this.#nodes[number - 1]?.rpc ?? '').split(':');
    const takesRpc = async (): Promise<boolean> =>
      (await tryToConnect({ host, port: Number(port) }, AbortSignal.timeout(5_000))) === null;
    await until(takesRpc, `the NameNode ${number} takes RPC`);
    await this.#run('nn1', 'org.apache.hadoop.hdfs.tools.DFSHAAdmin', [
      '-transitionToActive',
      '--forceactive',
      `nn${number}`,
    ]);
  }

  /** Creates the folders above, too. */
  async write(path: string, content: string | Buffer = ''): Promise<void> {
    const made = await this.#webHdfs('PUT', path, { op: 'CREATE', overwrite: 'true', noredirect: 'true' });
    const { Location: location } = (await made.json()) as { Location: string };
    const status = await put(location, content);
    if (status !== 201) throw new Error(`${path} was not written: status ${status}`);
  }

  async makeFolder(path: string, permission = '755'): Promise<void> {
    await this.#webHdfs('PUT', path, { op: 'MKDIRS', permission });
  }

  async remove(path: string): Promise<void> {
    await this.#webHdfs('DELETE', path, { op: 'DELETE', recursive: 'true' });
  }

  async rename(path: string, to: string): Promise<void> {
    await this.#webHdfs('PUT', path, { op: 'RENAME', destination: to });
  }

  async stop(): Promise<void> {
    for (const name of [...this.#processes.keys()]) await this.#kill(name);
  }

  /** By the active one. */
  async #webHdfs(method: string, path: string, query: Record<string, string>): Promise<Response> {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const said: string[] = [];
    for (const address of this.addresses) {
      const parameters = new URLSearchParams({ ...query, 'user.name': USER });
      const response = await fetch(`${address}/webhdfs/v1${encoded}?${parameters.toString()}`, {
        method,
      }).catch(() => null);
      if (response?.ok === true) return response;
      said.push((await response?.text()) ?? 'no answer');
    }
    throw new Error(`${method} ${path}: ${said.join('; ')}`);
  }

  /** While a NameNode starts, it refuses requests for other reasons. */
  async #isStandby(index: number): Promise<boolean> {
    const url = `${this.addresses[index] ?? ''}/webhdfs/v1/?op=GETFILESTATUS&user.name=${USER}`;
    const answer = await fetch(url).then(
      (response) => response.text(),
      () => '',
    );
    return answer.includes('StandbyException');
  }

  async #jmx(index: number, name: string): Promise<Record<string, unknown> | undefined> {
    const url = `${this.addresses[index] ?? ''}/jmx?qry=Hadoop:service=NameNode,name=${name}`;
    const answer = (await fetch(url).then(
      (response) => response.json(),
      () => null,
    )) as { beans?: Record<string, unknown>[] } | null;
    return answer?.beans?.[0];
  }

  #start(name: string, main: string): void {
    const process = this.#spawn(name, main, []);
    this.#processes.set(name, () => {
      process.kill('SIGKILL');
      return process;
    });
  }

  async #run(name: string, main: string, args: readonly string[]): Promise<void> {
    const { exitCode, all } = await this.#spawn(name, main, args);
    if (exitCode !== 0) throw new Error(`${main} ${args.join(' ')} failed:\n${all}`);
  }

  #spawn(name: string, main: string, args: readonly string[]) {
    const classpath = `${join(this.#folder, `conf-${name}`)}:${hdfsJars()}`;
    return execa(this.#java, [...JAVA, `-Djava.io.tmpdir=${this.#folder}`, '-cp', classpath, main, ...args], {
      cwd: this.#folder,
      reject: false,
      all: true,
      stdin: 'ignore',
      env: { HADOOP_USER_NAME: USER },
    });
  }

  async #kill(name: string): Promise<void> {
    const kill = this.#processes.get(name);
    this.#processes.delete(name);
    await kill?.();
  }

  async #configure(name: string): Promise<void> {
    const conf = join(this.#folder, `conf-${name}`);
    for (const webapp of ['hdfs', 'datanode'])
      await mkdir(join(conf, 'webapps', webapp), { recursive: true });
    const inFolder = (what: string): string => `file://${join(this.#folder, what)}`;
    await writeFile(
      join(conf, 'core-site.xml'),
      xmlOf({ 'fs.defaultFS': 'hdfs://ha', 'hadoop.tmp.dir': join(this.#folder, 'tmp') }),
    );
    await writeFile(
      join(conf, 'hdfs-site.xml'),
      xmlOf({
        'dfs.nameservices': 'ha',
        'dfs.ha.namenodes.ha': this.#nodes.map(({ id }) => id).join(','),
        ...(name === 'dn' ? {} : { 'dfs.ha.namenode.id': name }),
        ...Object.fromEntries(
          this.#nodes.flatMap(({ id, http, rpc }) => [
            [`dfs.namenode.rpc-address.ha.${id}`, rpc],
            [`dfs.namenode.http-address.ha.${id}`, http],
          ]),
        ),
        'dfs.namenode.name.dir': inFolder(`name-${name}`),
        'dfs.namenode.shared.edits.dir': inFolder('shared'),
        'dfs.client.failover.proxy.provider.ha':
          'org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider',
        'dfs.ha.fencing.methods': 'shell(/bin/true)',
        'dfs.ha.tail-edits.period': '200ms',
        'dfs.namenode.safemode.extension': '0',
        // Two pages of a list come with three entries.
        'dfs.ls.limit': '2',
        'dfs.replication': '1',
        'dfs.datanode.data.dir': inFolder('data'),
        'dfs.datanode.address': '127.0.0.1:0',
        'dfs.datanode.ipc.address': '127.0.0.1:0',
        'dfs.datanode.http.address': '127.0.0.1:0',
        'dfs.datanode.hostname': '127.0.0.1',
      }),
    );
  }
}

/** Without fetch, which does not take the DataNode's "100 Continue". @returns the status */
async function put(url: string, content: string | Buffer): Promise<number> {
  const asked = request(url, { method: 'PUT' });
  asked.end(content);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

function xmlOf(properties: Readonly<Record<string, string>>): string {
  const entries = Object.entries(properties).map(
    ([name, value]) => `<property><name>${name}</name><value>${value}</value></property>`,
  );
  return `<configuration>${entries.join('\n')}</configuration>`;
}
