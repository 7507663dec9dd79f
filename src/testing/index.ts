/**
 * Tests of applications without a broker: `pipelineTest` runs all pipelines in this process, on a log in
 * memory and by a clock that the test moves. With MILLRACE_LOG=kafka the same test runs on Kafka.
 */
export type { TestMessage } from './contents.ts'
export type { Counts, Ledger } from './findings.ts'
export type { CrashStep } from './mortal-log.ts'
export { type PipelineTestOptions, pipelineTest } from './pipeline-test.ts'
export type { FeedOptions, PushOptions, Time } from './push.ts'
export type { LookupMock, ModelMock } from './stand-ins.ts'
export type { CrashOptions, TestDeadLetter, Tested as PipelineTest } from './tested.ts'
export type { TestedApp, TestedPipeline } from './tested-app.ts'
