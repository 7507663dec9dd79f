/** The settings of brokers for tests: quick to start, quick to notice, small. */
export interface Place {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
  /** Of the listeners beside its own. */
  readonly views: readonly View[]
  /** The broker's own data, below the service's directory. */
  readonly dataDirectory: string
}

/** A listener for clients that come another way: the broker names them a port that is not its own. */
export interface View {
  readonly port: number
  readonly advertisedPort: number
}

const host = '127.0.0.1'

export const addressOf = ({ port }: { readonly port: number }) => `${host}:${port}`

/** The text of a broker's server.properties. `settings` win over everything else. */
export function propertiesOf(
  place: Place,
  all: readonly Place[],
  settings: Readonly<Record<string, string>>,
): string {
  const voters = all.map(({ id, controllerPort }) => `${id}@${host}:${controllerPort}`)
  // Brokers talk to each other, and tools to them, on PLAINTEXT.
  const views = place.views.map((view, index) => ({ ...view, name: `VIEW${index + 1}` }))
  const merged: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(place.id),
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: [
      ...[`PLAINTEXT://${addressOf(place)}`, `CONTROLLER://${host}:${place.controllerPort}`],
      ...views.map((view) => `${view.name}://${addressOf(view)}`),
    ].join(','),
    'advertised.listeners': [
      `PLAINTEXT://${addressOf(place)}`,
      ...views.map(({ name, advertisedPort }) => `${name}://${host}:${advertisedPort}`),
    ].join(','),
    'listener.security.protocol.map': ['PLAINTEXT', 'CONTROLLER', ...views.map(({ name }) => name)]
      .map((name) => `${name}:PLAINTEXT`)
      .join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': place.dataDirectory,
    ...replication(all.length),
    ...forTests,
    ...settings,
  }
  return Object.entries(merged)
    .map(([name, value]) => `${name}=${escaped(value)}\n`)
    .join('')
}

function replication(brokers: number): Record<string, string> {
  const factor = String(brokers)
  const inSync = String(brokers > 1 ? 2 : 1)
  return {
    'default.replication.factor': factor,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': factor,
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': factor,
    'share.coordinator.state.topic.min.isr': inSync,
  }
}

const forTests: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'num.partitions': '1',
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'share.coordinator.state.topic.num.partitions': '3',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '500',
  'group.consumer.min.session.timeout.ms': '500',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  'broker.session.timeout.ms': '6000',
  // Messages of tests have old times; topics that are to forget say so themselves.
  'log.retention.ms': '-1',
  'log.retention.check.interval.ms': '1000',
  'log.initial.task.delay.ms': '500',
  'log.segment.delete.delay.ms': '1000',
  'log.cleaner.backoff.ms': '200',
  'log.cleaner.dedupe.buffer.size': '8388608',
}

/** A value as java.util.Properties reads it back. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
