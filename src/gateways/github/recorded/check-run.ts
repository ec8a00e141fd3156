/**
 * A check that failed (`check_run.completed`). Its output is ours, and the app has the short name that its address shows.
 * From the example payloads that GitHub and the community keep in @octokit/webhooks-examples 7.6.1 (licence MIT): ids, names
 * and shape as recorded, trimmed to about what is read here.
 */
export const checkRun = {
  action: 'completed',
  check_run: {
    id: 128620228,
    node_id: 'MDg6Q2hlY2tSdW4xMjg2MjAyMjg=',
    head_sha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    external_id: '',
    url: 'https://api.github.com/repos/Codertocat/Hello-World/check-runs/128620228',
    html_url: 'https://github.com/Codertocat/Hello-World/runs/128620228',
    details_url: 'https://octocoders.io',
    status: 'completed',
    conclusion: 'failure',
    started_at: '2019-05-15T15:21:12Z',
    completed_at: '2019-05-15T15:21:12Z',
    output: {
      title: '2 tests failed',
      summary:
        'greeting.test: expected "Codertocat", got "Codertocta"\nletter.test: expected "Codertocat", got "Codertocta"',
      text: null,
      annotations_count: 0,
    },
    name: 'Octocoders-linter',
    check_suite: {
      id: 118578147,
      head_branch: 'changes',
      head_sha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
      status: 'in_progress',
      conclusion: null,
      before: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
      after: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    },
    app: {
      id: 29310,
      slug: 'octocoders-linter',
      name: 'octocoders-linter',
    },
    pull_requests: [
      {
        url: 'https://api.github.com/repos/Codertocat/Hello-World/pulls/2',
        id: 279147437,
        number: 2,
        head: {
          ref: 'changes',
          sha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
        },
        base: {
          ref: 'master',
          sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
        },
      },
    ],
  },
  repository: {
    id: 186853002,
    node_id: 'MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=',
    name: 'Hello-World',
    full_name: 'Codertocat/Hello-World',
    private: false,
    owner: {
      login: 'Codertocat',
      id: 21031067,
      node_id: 'MDQ6VXNlcjIxMDMxMDY3',
      html_url: 'https://github.com/Codertocat',
      type: 'User',
      site_admin: false,
    },
    html_url: 'https://github.com/Codertocat/Hello-World',
    url: 'https://api.github.com/repos/Codertocat/Hello-World',
    default_branch: 'master',
  },
  sender: {
    login: 'Codertocat',
    id: 21031067,
    node_id: 'MDQ6VXNlcjIxMDMxMDY3',
    html_url: 'https://github.com/Codertocat',
    type: 'User',
    site_admin: false,
  },
} as const;
