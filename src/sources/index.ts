/** The sources there are. To add one: its file, its test with the contract, a line here. */
import { blueskyPart } from './bluesky.ts'
import { filesPart } from './files.ts'
import { generatePart } from './generate.ts'

export { type BlueskyOptions, type BlueskyPost, bluesky } from './bluesky.ts'
export { type FilesOptions, files } from './files.ts'
export { type GenerateOptions, generate } from './generate.ts'
export type * from './source.ts'
export { defineSource } from './source.ts'

export const sourceParts = [blueskyPart, filesPart, generatePart] as const
