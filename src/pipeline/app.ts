/** An application: a file of the user's that exports pipelines, and what it wants to be told. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import { isPanels, type Panels } from '../panels/panel.ts'
import type { Trainer } from '../training/trainer.ts'
import { type AnyTopic, type Definition, isPipeline } from './definition.ts'
import { isSummary, type Summary } from './summary.ts'

export interface App {
  readonly url: string
  /** One line for people: what this is. */
  readonly about: string | undefined
  readonly pipelines: readonly Definition[]
  readonly summaries: readonly Summary[]
  readonly panels: readonly Panels[]
}

/** Imports an application's file. Throws `APP_UNUSABLE`, which says what was found. */
export async function loadApp(path: string): Promise<App> {
  const file = resolve(path)
  if (!existsSync(file)) throw fail('APP_UNUSABLE', `${path}: there is no such file`)
  return importApp(pathToFileURL(file).href, path)
}

export async function importApp(url: string, path: string = url): Promise<App> {
  const exported = await exportsOf(url, path)
  const values = Object.values(exported)
  const pipelines = [...new Set(values.filter(isPipeline).map((one) => one['~pipeline']))]
  if (pipelines.length === 0) {
    const names = Object.keys(exported).join(', ') || 'nothing'
    throw fail(
      'APP_UNUSABLE',
      `${path} exports ${names}, but no pipeline; write export const name = pipeline('name').from(...).to(...)`,
    )
  }
  const about = typeof exported.about === 'string' ? exported.about : undefined
  const panels = values.filter(isPanels)
  checkPanelTopics(path, panels)
  return { url, about, pipelines, summaries: values.filter(isSummary), panels }
}

/** A panel is about a topic, not a name or a pipeline. Throws `APP_UNUSABLE`. */
function checkPanelTopics(path: string, sections: readonly Panels[]): void {
  for (const { kind, topic, options } of sections.flatMap(({ panels }) => panels)) {
    if (topic === undefined || (topic as Partial<AnyTopic>).kind === 'topic') continue
    throw fail(
      'APP_UNUSABLE',
      `${path}: ${kind} '${options.title}' is not about a topic; give what topic('name') gave back`,
    )
  }
}

/** The trainers that an application's file exports. Throws `APP_UNUSABLE` when there is none. */
export async function loadTrainers(path: string): Promise<readonly Trainer[]> {
  const file = resolve(path)
  if (!existsSync(file)) throw fail('APP_UNUSABLE', `${path}: there is no such file`)
  const exported = await exportsOf(pathToFileURL(file).href, path)
  const trainers = [...new Set(Object.values(exported).filter(isTrainer))]
  if (trainers.length > 0) return trainers
  const names = Object.keys(exported).join(', ') || 'nothing'
  throw fail(
    'APP_UNUSABLE',
    `${path} exports ${names}, but no trainer; write export const name = trainer('name', { data: ... })`,
  )
}

async function exportsOf(url: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(url)
  } catch (cause) {
    const code = codeOf(cause) ?? 'APP_UNUSABLE'
    throw fail(code, `${path}${whereIn(cause, url)}: ${messageOf(cause)}`, { cause })
  }
}

function isTrainer(value: unknown): value is Trainer {
  return (value as Partial<Trainer> | null | undefined)?.kind === 'trainer'
}

/** The line of the application that an error's stack names first. */
function whereIn(error: unknown, url: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const at = stack.indexOf(`${url}:`)
  if (at < 0) return ''
  return `:${/^\d+/.exec(stack.slice(at + url.length + 1))?.[0] ?? '?'}`
}
