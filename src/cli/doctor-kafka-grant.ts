/** How a right is granted: the command of the cluster's kind. */
import type { Operation } from '../log/kafka-probe-rights.ts'

export type Resource =
  | { readonly kind: 'topic' | 'group' | 'transactional-id'; readonly name: string }
  /** All whose names begin so. */
  | { readonly kind: 'transactional-id'; readonly begin: string }

export interface Lack {
  readonly resource: Resource
  readonly operations: readonly Operation[]
}

export interface Grantor {
  /** `kafka`, `confluentCloud`, `msk`, `selfManaged`, or the variables. */
  readonly by: string
  /** `OAUTHBEARER` on MSK is IAM. */
  readonly mechanism: string | undefined
  readonly bootstrap: string
  readonly isSecured: boolean
  /** `User:mill`; a word in capitals where it is not known. */
  readonly principal: string
}

/** A line each, what is granted alike in one. */
export function grants(lacks: readonly Lack[], grantor: Grantor): string {
  if (grantor.by === 'msk' && grantor.mechanism === 'OAUTHBEARER') return iamGrants(lacks)
  const alike = Map.groupBy(lacks, ({ resource, operations }) => {
    return `${resource.kind} ${'begin' in resource} ${operations.join()}`
  })
  const write = grantor.by === 'confluentCloud' ? confluentGrant : aclGrant
  return [...alike.values()].map((group) => write(group, grantor)).join('\n')
}

const nameIn = (resource: Resource) => ('begin' in resource ? resource.begin : resource.name)

function aclGrant(lacks: readonly Lack[], { bootstrap, isSecured, principal }: Grantor): string {
  const [first] = lacks
  const { resource, operations } = first!
  return [
    `kafka-acls --bootstrap-server ${bootstrap}`,
    ...(isSecured ? ['--command-config ADMIN.properties'] : []),
    `--add --allow-principal ${shellWord(principal)}`,
    ...operations.map((operation) => `--operation ${operation}`),
    ...lacks.map((one) => `--${one.resource.kind} ${nameIn(one.resource)}`),
    ...('begin' in resource ? ['--resource-pattern-type prefixed'] : []),
  ].join(' ')
}

/** Confluent's tool takes one resource a command. */
function confluentGrant(lacks: readonly Lack[]): string {
  return lacks
    .map(({ resource, operations }) => {
      const words = operations.map((one) => one.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase())
      const prefixed = 'begin' in resource ? ' --prefix' : ''
      return `confluent kafka acl create --allow --service-account ACCOUNT --operations ${words.join(',')} --${resource.kind} ${nameIn(resource)}${prefixed}`
    })
    .join('\n')
}

const iamActions: Readonly<Record<Resource['kind'], Partial<Record<Operation, string>>>> = {
  topic: {
    Read: 'ReadData',
    Write: 'WriteData',
    Describe: 'DescribeTopic',
    DescribeConfigs: 'DescribeTopicDynamicConfiguration',
    Create: 'CreateTopic',
  },
  group: { Read: 'AlterGroup', Describe: 'DescribeGroup', Delete: 'DeleteGroup' },
  'transactional-id': { Write: 'AlterTransactionalId', Describe: 'DescribeTransactionalId' },
}

function iamGrants(lacks: readonly Lack[]): string {
  return lacks
    .map(({ resource, operations }) => {
      const actions = operations.map((one) => `kafka-cluster:${iamActions[resource.kind][one]}`)
      const name = 'begin' in resource ? `${resource.begin}*` : resource.name
      return `allow ${actions.join(', ')} on ${resource.kind}/CLUSTER/ID/${name} in the IAM policy`
    })
    .join('\n')
}

const shellWord = (text: string) =>
  /^[\w:.@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
