// Holds the manifests under envoy/ to Istio's, Envoy Gateway's and the Gateway API's own schemas,
// as npm's @kubernetes-models packages have them. `scripts/check-manifests` installs the packages
// and runs this with the files.
import { readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';

const packages = { 'istio.io': 'istio', 'envoyproxy.io': 'envoy-gateway', 'networking.k8s.io': 'gateway-api' };

// Not yet in the package: a `WasmPlugin` has the same fields, the module's own beside the others.
function older(document) {
  if (document.kind !== 'TrafficExtension') return document;
  const { wasm, match, ...rest } = document.spec;
  return { ...document, kind: 'WasmPlugin', spec: { ...rest, match, ...wasm } };
}

let count = 0;
for (const file of process.argv.slice(2)) {
  for (const found of loadAll(readFileSync(file, 'utf8')).map(older)) {
    const [group, version] = found.apiVersion.split('/');
    const name = Object.keys(packages).find((end) => group.endsWith(end));
    if (!name) continue;
    const models = await import(`@kubernetes-models/${packages[name]}/${group}/${version}`);
    try {
      new models[found.kind](found).validate();
      count += 1;
    } catch (error) {
      console.error(`${file}: ${found.kind}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}
console.log(`${count} resources are as their schemas say`);
if (count < 15) process.exitCode = 1;
