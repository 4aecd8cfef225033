/** What is used of WebAssembly's JavaScript interface; TypeScript has its types among those of browsers only. */

export interface Memory {
  /** Its octets; another buffer once it has grown. */
  readonly buffer: ArrayBuffer;
}

type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Interface {
  readonly Memory: new (size: { readonly initial: number; readonly maximum?: number }) => Memory;
  readonly Module: new (octets: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: Imports) => { readonly exports: Readonly<Record<string, unknown>> };
  /** The octets are no module, or one of a kind that this machine can not run. */
  readonly CompileError: new () => Error;
}

/** Undefined where the engine runs without it (`node --jitless`). */
export const webAssembly: Interface | undefined = (globalThis as { readonly WebAssembly?: Interface }).WebAssembly;
