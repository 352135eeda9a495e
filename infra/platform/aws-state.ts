import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration.js";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy.js";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock.js";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import { jsonStringify, type Output } from "@pulumi/pulumi";
import type { Site } from "./aws.ts";

/** How long the state as it was before a change can be brought back. */
const OLD_STATE_DAYS = 90;

/** The bucket of the previews' state: private, encrypted, versioned, and kept when everything else goes. */
export function createState({ childName, parent }: Site): {
  readonly bucket: Output<string>;
  readonly arn: Output<string>;
} {
  const bucket = new Bucket(childName("state"), {}, { parent, protect: true, retainOnDelete: true });
  const inside = { parent: bucket };
  const { bucket: name, arn } = bucket;
  new BucketPublicAccessBlock(
    childName("state-private"),
    {
      bucket: name,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    inside,
  );
  new BucketServerSideEncryptionConfiguration(
    childName("state-encryption"),
    { bucket: name, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    inside,
  );
  const versioning = new BucketVersioning(
    childName("state-versioning"),
    { bucket: name, versioningConfiguration: { status: "Enabled" } },
    inside,
  );
  new BucketLifecycleConfiguration(
    childName("state-lifecycle"),
    {
      bucket: name,
      rules: [
        {
          id: "old-state",
          status: "Enabled",
          filter: { prefix: "" },
          noncurrentVersionExpiration: { noncurrentDays: OLD_STATE_DAYS },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
        },
      ],
    },
    { parent: bucket, dependsOn: versioning },
  );
  new BucketPolicy(
    childName("state-policy"),
    {
      bucket: name,
      policy: jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "EncryptedConnectionsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: [arn, arn.apply((own) => `${own}/*`)],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      }),
    },
    inside,
  );
  return { bucket: name, arn };
}
