/** A process that sends tweets at a rate, until it is ended: bootstrap servers, topic, rate. */
import { makeTweets } from './embedded-load.ts'
import { clientOf, sendAtRate } from './kafka-load.ts'

const [bootstrapServers = '', topic = '', rate = ''] = process.argv.slice(2)
await sendAtRate(clientOf(bootstrapServers), topic, makeTweets(10_000), Number(rate))
