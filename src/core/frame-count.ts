/** How many frames there were so far, and when: the first, the last, and the one before it. */
export class FrameCount {
  count = 0;
  /** Time of the first frame. */
  firstSeconds = 0;
  firstNanoseconds = 0;
  /** Time of the frame before the current one. */
  previousSeconds = 0;
  previousNanoseconds = 0;
  private lastSeconds = 0;
  private lastNanoseconds = 0;

  /** Count a frame that nobody wants dissected: frame numbers and times stay those of the capture. */
  skip({ seconds, nanoseconds }: { readonly seconds: number; readonly nanoseconds: number }): void {
    if (this.count === 0) {
      this.firstSeconds = this.previousSeconds = this.lastSeconds = seconds;
      this.firstNanoseconds = this.previousNanoseconds = this.lastNanoseconds = nanoseconds;
    } else {
      this.previousSeconds = this.lastSeconds;
      this.previousNanoseconds = this.lastNanoseconds;
      this.lastSeconds = seconds;
      this.lastNanoseconds = nanoseconds;
    }
    this.count++;
  }

  /** Go on from where another count stands. */
  resume(from: FrameCount): void {
    this.count = from.count;
    this.firstSeconds = from.firstSeconds;
    this.firstNanoseconds = from.firstNanoseconds;
    this.previousSeconds = from.previousSeconds;
    this.previousNanoseconds = from.previousNanoseconds;
    this.lastSeconds = from.lastSeconds;
    this.lastNanoseconds = from.lastNanoseconds;
  }
}
