/** Fargate's sizes: AWS docs, "Task definition parameters", "Task size". Pure. */

export interface FargateSize {
  /** 1024 are one core. */
  readonly cpuUnits: number;
  readonly memoryMiB: number;
}

const GIB = 1024;

/** CPU units with the least and most memory they may have, and the step between. */
const SIZES: readonly (readonly [cpuUnits: number, least: number, most: number, step: number])[] = [
  [256, 512, 512, 512],
  [256, 1 * GIB, 2 * GIB, GIB],
  [512, 1 * GIB, 4 * GIB, GIB],
  [1024, 2 * GIB, 8 * GIB, GIB],
  [2048, 4 * GIB, 16 * GIB, GIB],
  [4096, 8 * GIB, 30 * GIB, GIB],
  [8192, 16 * GIB, 60 * GIB, 4 * GIB],
  [16384, 32 * GIB, 120 * GIB, 8 * GIB],
];

/** The smallest size that holds both; undefined when none does. */
export function fargateSize(wanted: { readonly cpu: number; readonly memoryMiB: number }): FargateSize | undefined {
  for (const [cpuUnits, least, most, step] of SIZES) {
    if (wanted.cpu * 1024 > cpuUnits || wanted.memoryMiB > most) continue;
    const above = Math.max(0, Math.ceil((wanted.memoryMiB - least) / step));
    return { cpuUnits, memoryMiB: least + above * step };
  }
  return undefined;
}
