/** Named, immutable model versions, aliases, and the stores that hold the artefacts. */
export type { ChangeOptions } from './changes.ts'
export {
  type PlainObject,
  type RegisteredVersion,
  type RegistryChange,
  registryTopic,
  type VersionFacts,
} from './entries.ts'
export { modelStoreLocation, openStore } from './open-store.ts'
export type { AliasRecord, ModelRecord, ModelSummary } from './records.ts'
export {
  championAlias,
  checkAlias,
  checkModelName,
  type ModelReference,
  parseReference,
} from './reference.ts'
export {
  type DeletedVersion,
  type LoadedModel,
  Registry,
  type RegistryOptions,
} from './registry.ts'
export { type ArtefactStore, isHash, sha256 } from './store.ts'
export { type DirectoryStoreOptions, openDirectoryStore } from './store-directory.ts'
export { openS3Store, type S3StoreOptions } from './store-s3.ts'
