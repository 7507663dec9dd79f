/** `@peculiar/x509`, together with what it needs before it is loaded. */
import 'reflect-metadata'

export * from '@peculiar/x509'
