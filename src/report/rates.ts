/** Frames and octets over time, in a fixed number of steps whatever time the capture spans. */

/** Steps held: when time outgrows them, each two become one. */
const STEPS = 512;
/** Nanoseconds of a step at first. */
const FIRST_STEP = 1e6;

/** A stretch of time and what was seen in it. */
export interface RateStep {
  frames: number;
  octets: number;
}

export class Rates {
  private readonly steps: RateStep[] = [];
  /** Nanoseconds that a step spans. */
  private width = FIRST_STEP;

  /** Count a frame, `since` nanoseconds after the first; frames from before it count as the first. */
  add(since: number, octets: number): void {
    let at = Math.max(0, Math.floor(since / this.width));
    while (at >= STEPS) {
      this.halve();
      at = Math.floor(since / this.width);
    }
    while (this.steps.length <= at) this.steps.push({ frames: 0, octets: 0 });
    const step = this.steps[at]!;
    step.frames++;
    step.octets += octets;
  }

  private halve(): void {
    const { steps } = this;
    for (let i = 0; 2 * i < steps.length; i++) {
      const [a, b] = [steps[2 * i]!, steps[2 * i + 1]];
      steps[i] = { frames: a.frames + (b?.frames ?? 0), octets: a.octets + (b?.octets ?? 0) };
    }
    steps.length = Math.ceil(steps.length / 2);
    this.width *= 2;
  }

  /** At most `columns` steps over the whole time, and the nanoseconds that each spans. */
  over(columns: number): { readonly width: number; readonly steps: readonly RateStep[] } {
    const each = Math.max(1, Math.ceil(this.steps.length / columns));
    const joined: RateStep[] = [];
    this.steps.forEach(({ frames, octets }, i) => {
      const to = Math.floor(i / each);
      joined[to] ??= { frames: 0, octets: 0 };
      joined[to].frames += frames;
      joined[to].octets += octets;
    });
    return { width: this.width * each, steps: joined };
  }
}

const HEIGHTS = ['▁▂▃▄▅▆▇█', '_.:-=+*#'] as const;

/** Numbers as a line of bars: the largest fills its place, and none at all leaves it empty. */
export function sparkline(numbers: readonly number[], isUnicode = true): string {
  const heights = HEIGHTS[isUnicode ? 0 : 1];
  const most = Math.max(...numbers, 1);
  return numbers.map((n) => (n === 0 ? ' ' : heights[Math.min(7, Math.floor((n / most) * 8))]!)).join('');
}

const EIGHTHS = ' ▏▎▍▌▋▊▉';

/** A bar of `share` (0 to 1) of `columns`; something, however little, shows. */
export function bar(share: number, columns: number, isUnicode = true): string {
  if (share <= 0) return '';
  if (!isUnicode) return '#'.repeat(Math.max(1, Math.round(share * columns)));
  const eighths = Math.max(1, Math.round(Math.min(1, share) * columns * 8));
  return `${'█'.repeat(eighths >> 3)}${(eighths & 7) > 0 ? EIGHTHS[eighths & 7] : ''}`;
}
