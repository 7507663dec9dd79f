/** The formats, one by one; `formatParts` is the room's list. */
import { avroPart } from './avro.ts'
import { jsonSchemaPart } from './json-schema.ts'
import { protobufPart } from './protobuf.ts'

export { avro } from './avro.ts'
export type { Codec, Format, FormatContext } from './format.ts'
export { jsonSchema } from './json-schema.ts'
export { protobuf } from './protobuf.ts'

export const formatParts = [avroPart, protobufPart, jsonSchemaPart]
