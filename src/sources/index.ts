/** The sources there are. To add one: its file, its test with the contract, a line here. */
import { filesPart } from './files.ts'
import { generatePart } from './generate.ts'

export { type FilesOptions, files } from './files.ts'
export { type GenerateOptions, generate } from './generate.ts'
export type * from './source.ts'
export { defineSource } from './source.ts'

export const sourceParts = [filesPart, generatePart] as const
