/** What every engine of ours is told in its environment, beside what the machine gives it. */
export function engineVariables({
  backendUrl,
  passphraseFile,
}: {
  readonly backendUrl: string;
  readonly passphraseFile: string;
}): Record<string, string> {
  return {
    PULUMI_BACKEND_URL: backendUrl,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
    // The salt lies in the state; the stack's config file is thrown away with the working folder.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_CI_DETECTION: "true",
    // A copy of every finished state: the history holds it already.
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    PULUMI_LOG_ROTATION_MAX_TOTAL_MB: "50",
  };
}
