/**
 * TypeScript types of ../proto, committed in src/generated: `npm run codegen [-- --output DIR]`.
 *
 * The Rust side compiles the schemas (nothing to install for that), protoc-gen-es writes the types.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

const here = fileURLToPath(new URL('.', import.meta.url));
const { output } = parseArgs({ options: { output: { type: 'string', default: here } } }).values;
const limits = { maxBuffer: 64 << 20, stdio: ['pipe', 'pipe', 'inherit'] };

const cargo = ['run', '--release', '--quiet', '-p', 'weft-proto', '--example', 'descriptors'];
const { file } = fromBinary(FileDescriptorSetSchema, execFileSync('cargo', cargo, { cwd: here, ...limits }));
const request = create(CodeGeneratorRequestSchema, {
  fileToGenerate: file.map(({ name }) => name),
  parameter: 'target=ts',
  protoFile: file,
});
const plugin = join(here, 'node_modules/.bin/protoc-gen-es');
const input = toBinary(CodeGeneratorRequestSchema, request);
const response = fromBinary(CodeGeneratorResponseSchema, execFileSync(plugin, { input, ...limits }));
if (response.error !== '') throw new Error(response.error);

const folder = join(output, 'src/generated');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { name, content } of response.file) writeFileSync(join(folder, name), content);
