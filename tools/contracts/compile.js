// Compiles the workloads' contracts into committed artifacts.
//
//   node compile.js CONTRACTS_DIR            writes CONTRACTS_DIR/artifacts/<Contract>.json
//   node compile.js CONTRACTS_DIR --check    compares them instead; exit 1 on a difference
//
// `solc` is resolved through NODE_PATH (tools/contracts.sh sets it).

'use strict';

const fs = require('fs');
const path = require('path');
const solc = require('solc');
const { keccak256 } = require('js-sha3');

// No metadata and no source hash in the code: it depends on the text of the contract alone.
const settings = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 1000000 },
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
  outputSelection: {
    '*': {
      '*': [
        'abi',
        'storageLayout',
        'evm.bytecode.object',
        'evm.deployedBytecode.object',
        'evm.methodIdentifiers',
      ],
    },
  },
};

/** One contract a file, of the file's name. Returns the artifact's text. */
function compile(dir, file) {
  const source = fs.readFileSync(path.join(dir, file), 'utf8');
  const name = path.basename(file, '.sol');
  const input = { language: 'Solidity', sources: { [file]: { content: source } }, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const messages = (output.errors || []).map((e) => e.formattedMessage);
  if (messages.length > 0) throw new Error(`${file}: warnings count as errors\n${messages.join('\n')}`);

  const contract = output.contracts[file][name];
  if (!contract) throw new Error(`${file}: holds no contract named ${name}`);
  const layout = contract.storageLayout.storage.map(({ label, slot, offset, type }) => ({ label, slot, offset, type }));
  const { outputSelection, ...options } = settings;
  const artifact = {
    contract: name,
    source: { file, keccak256: `0x${keccak256(source)}` },
    compiler: { name: 'solc', version: solc.version() },
    settings: options,
    abi: contract.abi,
    methodIdentifiers: contract.evm.methodIdentifiers,
    storageLayout: layout,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
  };
  return { name, text: JSON.stringify(artifact, null, 2) + '\n' };
}

function main() {
  const [dir, flag] = process.argv.slice(2);
  const check = flag === '--check';
  if (!dir || (flag && !check)) throw new Error('usage: node compile.js CONTRACTS_DIR [--check]');

  const folder = path.join(dir, 'artifacts');
  const sources = fs.readdirSync(dir).filter((f) => f.endsWith('.sol')).sort();
  fs.mkdirSync(folder, { recursive: true });
  const stale = [];
  const wanted = new Set();
  for (const file of sources) {
    const { name, text } = compile(dir, file);
    const target = path.join(folder, `${name}.json`);
    wanted.add(`${name}.json`);
    const same = fs.existsSync(target) && fs.readFileSync(target, 'utf8') === text;
    if (!same) stale.push(target);
    if (!same && !check) fs.writeFileSync(target, text);
  }
  for (const file of fs.readdirSync(folder)) {
    if (wanted.has(file)) continue;
    stale.push(path.join(folder, file));
    if (!check) fs.unlinkSync(path.join(folder, file));
  }
  if (check && stale.length > 0) throw new Error(`stale: ${stale.join(', ')}; run \`make contracts\``);
  const verb = check ? 'are fresh' : stale.length > 0 ? `written: ${stale.length}` : 'unchanged';
  console.log(`contracts: ${sources.length} artifacts ${verb} (solc ${solc.version()})`);
}

try {
  main();
} catch (error) {
  console.error(`contracts: ${error.message}`);
  process.exit(1);
}
