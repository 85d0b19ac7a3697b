// Loaded into a process before its program: writes which files of this package it has read as code into $HIPPO_LOADED.
import fs from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const note = (file) => {
  if (file.includes('/dist/')) fs.appendFileSync(process.env.HIPPO_LOADED, `${file}\n`);
};
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) note(fileURLToPath(url));
    return next(url, context);
  },
});
vm.Script = class extends vm.Script {
  constructor(code, options) {
    super(code, options);
    note(options.filename);
  }
};
