/** Amounts as the API server writes them itself, so that reading one back shows no difference. Pure. */

/** Cores, such as 0.5, as `500m`; whole ones as `2`. */
export function cpuQuantity(cores: number): string {
  const milli = Math.max(1, Math.round(cores * 1000));
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

/** MiB as `512Mi`; whole GiB as `4Gi`. */
export function memoryQuantity(mebibytes: number): string {
  const whole = Math.max(1, Math.ceil(mebibytes));
  return whole % 1024 === 0 ? `${whole / 1024}Gi` : `${whole}Mi`;
}
