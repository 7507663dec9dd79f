/** `millrace secure init`: all files that a secured Kafka begins with. */
import { relative, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { adminUser, brokerUser, type ClientAuth } from '../security/broker-properties.ts'
import { type BrokerAddress, brokersOf, hostNameOf } from '../security/host-name.ts'
import { type KeyKind, keyKinds } from '../security/keys.ts'
import { SecureFiles } from '../security/secure-files.ts'
import { type ContextSource, processContext } from './context.ts'
import { parseWhole } from './duration.ts'
import { readPassphrase } from './passphrase.ts'

interface InitFlags {
  readonly brokers: string
  readonly san?: readonly string[]
  readonly days: number
  readonly key: KeyKind
  readonly client?: readonly string[]
  readonly clientAuth: ClientAuth
  readonly organization?: string
  readonly passphraseFile?: string
  readonly json: boolean
}

const defaultClients = ['producer', 'consumer']
/** Browsers want no more of public certificates; those of one's own are renewed as easily. */
const defaultDays = 397
const mostDays = 3650

const several = (value: string, before: readonly string[] = []) => [...before, ...value.split(',')]

export function secureInitCommand(context: ContextSource = processContext): Command {
  return new Command('init')
    .description('make an authority, certificates, stores, passwords and properties')
    .argument('<directory>', 'where to put them; what is there is never written over')
    .requiredOption('--brokers <host:port,...>', 'each broker as clients reach it')
    .option('--san <name,...>', 'more names or addresses of every broker', several)
    .option(
      '--days <number>',
      'how long certificates are valid',
      parseWhole(1, mostDays),
      defaultDays,
    )
    .addOption(new Option('--key <kind>', 'of the keys').choices(keyKinds).default('ec'))
    .option('--client <name,...>', 'users beside admin (default: producer, consumer)', several)
    .addOption(
      new Option('--client-auth <how>', 'certificates of clients, beside their passwords')
        .choices(['none', 'requested', 'required'])
        .default('none'),
    )
    .option('--organization <name>', 'in the certificates')
    .option(
      '--passphrase-file <file>',
      "what encrypts the authority's key, 8 characters or more; else MILLRACE_CA_PASSPHRASE, else it is asked for",
    )
    .option('--json', 'print one line of JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  millrace secure init secure --brokers kafka-1.example.com:9093,kafka-2.example.com:9093',
    )
    .action(async (directory: string, flags: InitFlags) => {
      const files = new SecureFiles(resolve(directory))
      const { client: clients = defaultClients, san = [] } = flags
      checkClients(clients)
      const wish = {
        ...{ brokers: brokersOf('--brokers', flags.brokers), days: flags.days, kind: flags.key },
        hosts: san.map((name) => hostNameOf('--san', name)),
        ...{ organization: flags.organization, clients, clientAuth: flags.clientAuth },
        passphrase: await readPassphrase({
          ...{ what: 'the authority', variable: 'MILLRACE_CA_PASSPHRASE', isNew: true },
          file: flags.passphraseFile,
        }),
      }
      // Loaded here: no other command needs it.
      const { secureCluster } = await import('../security/secure-cluster.ts')
      await secureCluster(files, wish, systemClock)
      files.write()
      const { output } = context()
      if (flags.json) {
        await output.print(JSON.stringify({ directory: files.directory, files: files.paths }))
        return
      }
      const here = relative(process.cwd(), files.directory) || '.'
      output.say(
        `made ${files.paths.length} files in ${here}, readable by their owner alone; next:`,
      )
      for (const line of nextSteps(files, wish.brokers)) output.say(line)
    })
}

/** Throws `OPTIONS_INVALID`. */
function checkClients(names: readonly string[]): void {
  const taken: readonly string[] = [adminUser, brokerUser]
  for (const [index, name] of names.entries()) {
    const isName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)
    if (isName && !taken.includes(name) && names.indexOf(name) === index) continue
    const rule = isName ? 'is there already' : 'is no name; letters, digits, . _ - make one'
    throw fail('OPTIONS_INVALID', `--client: '${name}' ${rule}`)
  }
}

/** What a person does then, with Kafka's own tools. */
function nextSteps(files: SecureFiles, brokers: readonly BrokerAddress[]): readonly string[] {
  const [first] = brokers
  const steps = brokers.map((_, index) => {
    const folder = files.place('brokers', String(index + 1))
    const log = `KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile=${folder}/log4j2.properties`
    return [
      `  # broker ${index + 1}: the folder is expected at ${folder} on its machine`,
      `  kafka-storage.sh @${folder}/format.args`,
      `  ${log} kafka-server-start.sh ${folder}/server.properties`,
    ]
  })
  const config = files.place('clients', adminUser, 'client.properties')
  return [
    ...steps.flat(),
    '  # what the administrator sees',
    `  kafka-topics.sh --list --bootstrap-server ${first!.host}:${first!.port} --command-config ${config}`,
    `keep ca/ca.key and its passphrase apart from the brokers: whoever has both can make certificates`,
  ]
}
