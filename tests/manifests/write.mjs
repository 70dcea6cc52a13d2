// Writes tests/manifests/schemas/: of every kind of resource under envoy/ the JSON Schema of its
// `spec`, as the declarations of npm's @kubernetes-models packages have it.
// `scripts/check-manifests --write` installs the packages and runs this with the folder to write.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGenerator } from 'ts-json-schema-generator';

const kinds = {
  'istio/extensions.istio.io/v1alpha1': ['WasmPlugin'],
  'istio/networking.istio.io/v1': ['DestinationRule', 'Gateway', 'ServiceEntry', 'VirtualService'],
  'istio/networking.istio.io/v1alpha3': ['EnvoyFilter'],
  'envoy-gateway/gateway.envoyproxy.io/v1alpha1': ['Backend', 'ClientTrafficPolicy', 'EnvoyExtensionPolicy', 'EnvoyPatchPolicy', 'EnvoyProxy'],
  'gateway-api/gateway.networking.k8s.io/v1': ['BackendTLSPolicy', 'Gateway', 'GatewayClass', 'HTTPRoute'],
};
const packages = join(import.meta.dirname, 'node_modules/@kubernetes-models');
const tsconfig = join(import.meta.dirname, 'tsconfig.json');
const target = process.argv[2];

// `{}` is TypeScript's word for any value.
function open(schema) {
  if (Array.isArray(schema)) return schema.map(open);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.type === 'object' && schema.additionalProperties === false && !schema.properties) return {};
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, open(value)]));
}

for (const [place, names] of Object.entries(kinds)) {
  const [name, ...group] = place.split('/');
  const { version, license } = JSON.parse(readFileSync(join(packages, name, 'package.json')));
  for (const kind of names) {
    const path = join(packages, place, `${kind}.d.ts`);
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions: { module: 'nodenext', moduleResolution: 'nodenext', strict: true }, files: [path] }));
    const options = { path, tsconfig, type: `I${kind}`, expose: 'none', jsDoc: 'none', skipTypeCheck: true };
    const { spec } = createGenerator(options).createSchema(options.type).definitions[options.type].properties;
    const source = `@kubernetes-models/${name}@${version} (${license})`;
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: `${group.join('/')} ${kind}`, $comment: source, ...open(spec) };
    writeFileSync(join(target, `${group[0]}.${kind}.json`), JSON.stringify(schema) + '\n');
  }
}
