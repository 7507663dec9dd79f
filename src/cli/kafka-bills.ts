/**
 * What drives the bill of a Kafka cluster at each provider: the dimensions that are billed, with the
 * quantities that a load makes of them. No prices: they differ by region, contract and month.
 */
import type { KafkaLoad, KafkaSize } from './kafka-sizing.ts'

export interface BillLine {
  readonly dimension: string
  readonly quantity: number
  readonly unit: string
}

export interface Bill {
  readonly service: string
  /** What is paid for a month. */
  readonly lines: readonly BillLine[]
  /** What else is paid for, and what does not fit. */
  readonly notes: readonly string[]
  /** Where the provider says so. */
  readonly source: string
}

interface Sized {
  readonly load: KafkaLoad
  readonly size: KafkaSize
  readonly month: Month
}

/** What moves in a month, in GiB: Confluent counts so, and says it. */
interface Month {
  readonly writtenGiB: number
  readonly readGiB: number
}

/** An average month. */
const monthHours = 730
const monthSeconds = monthHours * 3600
const gibibyte = 1024 ** 3
const megabyte = 1_000_000

/** MB/s in and out of one unit: https://docs.confluent.io/cloud/current/clusters/cluster-types.html */
const confluentUnit = { in: 60, out: 180 }

/** Sustained MB/s in and out of one broker, and how many replicas AWS recommends for it. */
const expressSizes = [
  { name: 'express.m7g.large', in: 15.6, out: 31.2, replicas: 1000 },
  { name: 'express.m7g.xlarge', in: 31.2, out: 62.5, replicas: 1000 },
  { name: 'express.m7g.2xlarge', in: 62.5, out: 125, replicas: 2500 },
  { name: 'express.m7g.4xlarge', in: 124.9, out: 249.8, replicas: 6000 },
  { name: 'express.m7g.8xlarge', in: 250, out: 500, replicas: 12_000 },
  { name: 'express.m7g.16xlarge', in: 500, out: 1000, replicas: 20_000 },
]
/** One for each zone, several times; with more brokers than this the next size is the better one. */
const fewExpressBrokers = 9

const serverlessLimits = { in: 200, out: 400, partitionIn: 5, partitionOut: 10, partitions: 2400 }

/** MB/s in and out, and partitions, that a tier of Redpanda BYOC is tested for. */
const redpandaTiers = [
  { in: 20, out: 60, partitions: 2000 },
  { in: 50, out: 150, partitions: 5600 },
  { in: 100, out: 200, partitions: 11_200 },
  { in: 200, out: 400, partitions: 22_600 },
  { in: 400, out: 800, partitions: 45_600 },
  { in: 800, out: 1600, partitions: 90_000 },
  { in: 1200, out: 2400, partitions: 112_500 },
  { in: 1600, out: 3200, partitions: 112_500 },
  { in: 2000, out: 4000, partitions: 112_500 },
]

export function kafkaBills(load: KafkaLoad, size: KafkaSize): Bill[] {
  const { averageInBytesPerSecond, averageOutBytesPerSecond } = size.throughput
  const month = {
    writtenGiB: (averageInBytesPerSecond * monthSeconds) / gibibyte,
    readGiB: (averageOutBytesPerSecond * monthSeconds) / gibibyte,
  }
  const sized = { load, size, month }
  return [
    confluentElastic(sized),
    confluentDedicated(sized),
    mskStandard(sized),
    mskExpress(sized),
    mskServerless(sized),
    redpandaServerless(sized),
    redpandaTiered(sized),
    selfManaged(sized),
  ]
}

const inMb = ({ size }: Sized) => size.throughput.inBytesPerSecond / megabyte
const outMb = ({ size }: Sized) => size.throughput.outBytesPerSecond / megabyte
const hours = (count: number, unit: string): BillLine => ({
  dimension: unit,
  quantity: count * monthHours,
  unit: 'hours',
})

function traffic({ month }: Sized): BillLine[] {
  return [
    { dimension: 'written', quantity: month.writtenGiB, unit: 'GiB' },
    { dimension: 'read', quantity: month.readGiB, unit: 'GiB' },
  ]
}

const kept = (bytes: number, what: string): BillLine => ({
  dimension: what,
  quantity: bytes / gibibyte,
  unit: 'GiB-months',
})

const confluentBilling = 'https://docs.confluent.io/cloud/current/billing/billing-dimensions.html'
const copiesNote = 'stored is one copy here; ask whether the three copies are billed'

function confluentUnits(sized: Sized, room: number): number {
  const share = Math.max(inMb(sized) / confluentUnit.in, outMb(sized) / confluentUnit.out)
  return Math.max(1, Math.ceil(share / room - 1e-9))
}

function confluentElastic(sized: Sized): Bill {
  const { size } = sized
  const { averageInBytesPerSecond, averageOutBytesPerSecond } = size.throughput
  const average = Math.max(
    averageInBytesPerSecond / megabyte / confluentUnit.in,
    averageOutBytesPerSecond / megabyte / confluentUnit.out,
  )
  return {
    service: 'Confluent Cloud Basic, Standard, Enterprise (elastic)',
    lines: [
      hours(Math.max(1, average), 'eCKU'),
      ...traffic(sized),
      kept(size.storage.oneCopyBytes, 'stored'),
    ],
    notes: [
      `eCKU at ${confluentUnit.in} MB/s in and ${confluentUnit.out} MB/s out; one of Basic and Standard does less, and partitions, requests and connections count too`,
      copiesNote,
      'a Freight cluster has no transactions: Millrace does not run there',
    ],
    source: confluentBilling,
  }
}

function confluentDedicated(sized: Sized): Bill {
  const units = confluentUnits(sized, 1 - sized.load.headroom)
  return {
    service: 'Confluent Cloud Dedicated',
    lines: [
      // Several zones want at least two.
      hours(Math.max(2, units), 'CKU'),
      ...traffic(sized),
      kept(sized.size.storage.oneCopyBytes, 'stored'),
    ],
    notes: [
      `paid for the peak, used or not; CKU at ${confluentUnit.in} MB/s in and ${confluentUnit.out} MB/s out, at least 2`,
      copiesNote,
    ],
    source: confluentBilling,
  }
}

const mskPricing = 'https://aws.amazon.com/msk/pricing/'
const awsTransfer = 'clients in another zone or network: AWS data transfer, PrivateLink'

function mskStandard({ size }: Sized): Bill {
  return {
    service: 'Amazon MSK provisioned, Standard brokers',
    lines: [hours(size.brokers.count, 'brokers'), kept(size.storage.diskBytes, 'disk to have')],
    notes: [
      'copying between brokers is free; storage throughput above the default is extra',
      awsTransfer,
    ],
    source: mskPricing,
  }
}

function mskExpress(sized: Sized): Bill {
  const replicas = sized.size.partitions.count * 3
  const brokersOf = (one: (typeof expressSizes)[number]) => {
    const share = Math.max(inMb(sized) / one.in, outMb(sized) / one.out, replicas / one.replicas)
    return Math.max(1, Math.ceil(share / 3 - 1e-9)) * 3
  }
  const largest = expressSizes.at(-1)!
  const chosen = expressSizes.find((one) => brokersOf(one) <= fewExpressBrokers) ?? largest
  return {
    service: 'Amazon MSK provisioned, Express brokers',
    lines: [
      hours(brokersOf(chosen), `brokers ${chosen.name}`),
      { dimension: 'written', quantity: sized.month.writtenGiB, unit: 'GiB' },
      kept(sized.size.storage.oneCopyBytes, 'stored'),
    ],
    notes: ['three copies in three zones, always; no disks to size', copiesNote, awsTransfer],
    source: mskPricing,
  }
}

function mskServerless(sized: Sized): Bill {
  const limits = serverlessLimits
  const { partitionIn, partitionOut } = limits
  const byTraffic = Math.max(inMb(sized) / partitionIn, outMb(sized) / partitionOut)
  const partitions = Math.max(sized.size.partitions.count, Math.ceil(byTraffic - 1e-9))
  const isTooMuch =
    inMb(sized) > limits.in || outMb(sized) > limits.out || partitions > limits.partitions
  const fits = isTooMuch ? 'this load does not fit' : 'this load fits'
  return {
    service: 'Amazon MSK Serverless',
    lines: [
      hours(1, 'cluster'),
      hours(partitions, 'partitions'),
      ...traffic(sized),
      kept(sized.size.storage.oneCopyBytes, 'stored'),
    ],
    notes: [
      `at most ${limits.in} MB/s in, ${limits.out} MB/s out, ${limits.partitions} partitions (120 of compacted topics); ${partitionIn} and ${partitionOut} MB/s a partition: ${fits}`,
      awsTransfer,
    ],
    source: mskPricing,
  }
}

const redpandaBilling = 'https://docs.redpanda.com/cloud-data-platform/billing/billing/'

function redpandaServerless(sized: Sized): Bill {
  return {
    service: 'Redpanda Cloud Serverless',
    lines: [
      hours(1, 'uptime'),
      hours(sized.size.partitions.count, 'partitions'),
      ...traffic(sized),
      kept(sized.size.storage.oneCopyBytes, 'stored'),
    ],
    notes: ['every hour begun is a whole one'],
    source: redpandaBilling,
  }
}

function redpandaTiered(sized: Sized): Bill {
  const { count } = sized.size.partitions
  const index = redpandaTiers.findIndex(
    (tier) => inMb(sized) <= tier.in && outMb(sized) <= tier.out && count <= tier.partitions,
  )
  const tier = index < 0 ? 'no tier is large enough: several clusters' : `tier ${index + 1}`
  return {
    service: 'Redpanda Cloud Dedicated, or BYOC in your own account',
    lines: [
      hours(1, `uptime, ${tier}`),
      ...traffic(sized),
      kept(sized.size.storage.oneCopyBytes, 'stored'),
    ],
    notes: ['BYOC: machines, disks and network are on your own cloud bill beside it'],
    source: redpandaBilling,
  }
}

function selfManaged({ size, load, month }: Sized): Bill {
  return {
    service: 'Self-managed Apache Kafka',
    lines: [
      hours(size.brokers.count, 'machines for brokers'),
      hours(3, 'machines for controllers'),
      kept(size.storage.diskBytes, 'disk to have'),
      {
        dimension: 'copied between brokers',
        quantity: month.writtenGiB * (load.replication - 1),
        unit: 'GiB',
      },
    ],
    notes: [
      'people: upgrades, certificates, moving partitions, and somebody to wake at night',
      'zones: most of what is copied and read crosses them, which clouds bill',
    ],
    source: 'https://kafka.apache.org/documentation/#operations',
  }
}
