#!/usr/bin/env node
/** Owns the way from a shell to the command line: Node 20 runs no TypeScript by itself, so tsx is put before it. */
import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
