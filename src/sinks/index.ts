/** The sinks, one by one; `sinkParts` is the room's list. */
import { duckdbPart } from './duckdb.ts'
import { filePart } from './file.ts'

export { type DuckdbSink, duckdb } from './duckdb.ts'
export { type FileOptions, file } from './file.ts'
export { defineSink, type Sink, type SinkContext, type SinkPosition, type SinkUse } from './sink.ts'

export const sinkParts = [filePart, duckdbPart]
