/** Questions in SQL about what sinks kept. */
export { serveSink, serveWarehouse, type WarehouseOwner } from './owner.ts'
export { type QueryColumn, type QueryResult, query } from './query.ts'
