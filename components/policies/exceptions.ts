import type { Violation } from './types';

/** A violation that is meant. */
export interface Exception {
  readonly policy: string;
  /** Names, in the program, of the resources that it is for. */
  readonly resources: RegExp;
  readonly subject: string;
  readonly why: string;
}

const ANALYZERS = /^posture-(pi1(-\d)?|analyzer-job-\d)$/;

/** All of them. An exception is for one part of the named resources, and not for the rest of what they do. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    policy: 'no-privileged-pods',
    resources: ANALYZERS,
    subject: 'volume output',
    why: 'annotated images stay on the node that made them',
  },
  {
    policy: 'no-privileged-pods',
    resources: ANALYZERS,
    subject: 'container own-output',
    why: "gives that folder, which the kubelet makes as root's, to the analyzer's user",
  },
  {
    policy: 'no-privileged-pods',
    resources: /^prober$/,
    subject: 'volume cgroup',
    why: "a Docker node's CPU is that of its own cgroup, which is read there and never written",
  },
  {
    policy: 'restricted-namespaces',
    resources: /^posture$/,
    subject: 'labels',
    why: 'no other level than privileged lets the analyzers have their hostPath',
  },
  {
    policy: 'restricted-namespaces',
    resources: /^berth-probers$/,
    subject: 'labels',
    why: 'no other level than privileged lets the probers of Docker nodes read the cgroup of their node',
  },
  {
    policy: 'images-by-digest',
    resources: /^latency-aware-scheduler$/,
    subject: 'container latency-aware-scheduler',
    why: "it is Kubernetes' own scheduler, by the tag of its version",
  },
  {
    policy: 'images-by-digest',
    resources: /^mosquitto$/,
    subject: 'container mosquitto',
    why: "it is its publisher's image, by tag, unless platform.mosquitto.image names a digest",
  },
  {
    policy: 'images-by-digest',
    resources: /^redis$/,
    subject: 'container redis',
    why: "it is its publisher's image, by tag, unless platform.redis.image names a digest",
  },
  {
    policy: 'images-by-digest',
    resources: /^mongodb$/,
    subject: 'container mongodb',
    why: "it is its publisher's image, by tag, unless platform.mongodb.image names a digest",
  },
];

/** True where somebody has said why the violation is meant. */
export const isExcepted = (policy: string, resource: string, { subject }: Violation): boolean =>
  EXCEPTIONS.some(
    (one) => one.policy === policy && one.subject === subject && one.resources.test(resource),
  );
