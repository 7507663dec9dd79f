/** What commands that look into the state directory have in common: where it is, and its log. */
import { existsSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { stateDirectory } from '../config/directory.ts'
import { fail, suggestion } from '../core/errors.ts'
import type { GroupInfo, Log, TopicInfo } from '../log/log.ts'
import { environmentVariable, openLog } from '../pipeline/open-log.ts'
import { type Output, processOutput } from './output.ts'

export interface CommandContext {
  readonly directory: string
  readonly output: Output
}

/** The context of this process, looked up when a command runs. */
export const processContext = (): CommandContext => ({
  directory: stateDirectory(),
  output: processOutput(),
})

/** A command's context: given by a test, else that of the process. */
export type ContextSource = () => CommandContext

/** True when there is a log to look into: one was made there, or an environment names another. */
export const hasLog = (directory: string) =>
  existsSync(join(directory, 'log', 'millrace.db')) || Boolean(process.env[environmentVariable])

/**
 * Opens the log, works with it and closes it. A command that only looks makes no directory: without
 * a log it throws `DIRECTORY_MISSING`. `app`: its configuration says where the log is. Housekeeping is left to the processes that run pipelines.
 */
export async function withLog<Result>(
  { directory }: CommandContext,
  work: (log: Log) => Promise<Result>,
  { create = false, app }: { readonly create?: boolean; readonly app?: string } = {},
): Promise<Result> {
  if (existsSync(directory) && !statSync(directory).isDirectory()) {
    throw fail('DIRECTORY_UNUSABLE', `${directory} is a file; name a directory with MILLRACE_DIR`)
  }
  if (!create && !hasLog(directory)) {
    const where = relative(process.cwd(), directory) || directory
    throw fail(
      'DIRECTORY_MISSING',
      `${where}: there is no state of Millrace yet; run an application first (millrace run app.ts), or name another directory with MILLRACE_DIR`,
    )
  }
  const log = await openLog({ directory, maintain: false, app })
  try {
    return await work(log)
  } finally {
    await log.close()
  }
}

/** Throws `TOPIC_UNKNOWN`, with the nearest name that there is. */
export async function topicNamed(log: Log, name: string): Promise<TopicInfo> {
  const topic = await log.topic(name)
  if (topic !== undefined) return topic
  const known = (await log.topics()).map((one) => one.name)
  const hint = suggestion(name, known) || 'millrace topics list --all shows those that there are'
  throw fail('TOPIC_UNKNOWN', `topic ${name}: there is none; ${hint}`)
}

/** Throws `GROUP_UNKNOWN`, with the nearest name that there is. */
export async function groupNamed(log: Log, name: string): Promise<GroupInfo> {
  const group = await log.group(name)
  if (group !== undefined) return group
  const known = (await log.groups()).map((one) => one.name)
  const hint = suggestion(name, known) || 'millrace groups list shows those that there are'
  throw fail('GROUP_UNKNOWN', `group ${name}: there is none; ${hint}`)
}

export { isInternalName as isInternal } from '../pipeline/internal-names.ts'

/** Partition numbers of a topic. */
export const partitionsOf = (topic: TopicInfo) =>
  Array.from({ length: topic.partitions }, (_, partition) => partition)
