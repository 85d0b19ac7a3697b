/** Kafka's own settings, by their names in server.properties. */
export type BrokerProperties = Readonly<Record<string, string>>;

export interface BrokerPorts {
  client: number;
  controller: number;
}

/** The settings of one KRaft node on loopback that is broker and controller at once. */
export function brokerProperties(ports: BrokerPorts, dataDirectory: string): BrokerProperties {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `PLAINTEXT://127.0.0.1:${ports.client},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.client}`,
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'log.dirs': dataDirectory,
    // With one broker Kafka's own topics cannot have three replicas, the default.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
  };
}

/** The text of a Java properties file, backslashes (of a path) escaped. */
export function formatProperties(properties: BrokerProperties): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/** The facts in server.properties about the broker that was started with it. */
export interface BrokerRecord {
  ports: BrokerPorts;
  /** Kafka's version. */
  version: string;
}

/** The text of server.properties. The version comes first, so that the file alone says what runs. */
export function brokerFile(version: string, properties: BrokerProperties): string {
  return `# Kafka ${version}, written by hippo up; a next start writes it again\n${formatProperties(properties)}`;
}

/** Reads {@link brokerFile} back; undefined for any other text. */
export function readBrokerFile(text: string): BrokerRecord | undefined {
  const version = /^# Kafka (\S+),/.exec(text)?.[1];
  const client = /^advertised\.listeners=.*?:(\d+)/m.exec(text)?.[1];
  const controller = /^controller\.quorum\.voters=.*:(\d+)/m.exec(text)?.[1];
  if (version === undefined || client === undefined || controller === undefined) return undefined;
  return { version, ports: { client: Number(client), controller: Number(controller) } };
}
