// The last line of scripts/check.sh: how many tests passed and failed, so that a reader of a log sees at once that they ran.
export default class ClosingLine {
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state) => tests.filter((test) => test.result().state === state).length;
    // What fails outside a test, such as a file that cannot be loaded, has no test of its own.
    const outside = errors.length + modules.filter((module) => module.errors().length > 0).length;
    const skipped = count('skipped');
    const line = `${count('passed')} passed, ${count('failed') + outside} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    // After all that vitest itself has to say.
    process.on('exit', () => console.log(line));
  }
}
