"""The help of `cnx-mock`, by the columns of the terminal. Made by `python -m tests.docs.generate`."""

TEXTS = {
    80: """\
Usage: cnx-mock [OPTIONS] COMMAND [ARGS]...

  A local sandbox of the CloudNexus API that fails when you ask it to.

  Examples:
    cnx-mock serve
    cnx-mock serve --scenario flaky-network --seed 7
    cnx-mock run --scenario lost-response -- ./deploy.sh
    cnx-mock scenarios check my-story.yaml
    cnx-mock sweep -- python deploy.py
    cnx-mock routes
    cnx-mock audit

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
  audit         Report how well a client behaved, from a server's journal.
  ca            Show or renew the local certificate authority (CA).
  clock         Read or move the clock of a running server's sandbox.
  completion    Print a completion script.
  demo          Show clients side by side while something goes wrong, and what
                it costs.
  env           Print the environment variables with which programs use a
                running server.
  fixtures      List, show and check fixtures: worlds to start from.
  inject        Add a fault to a running server's sandbox, and print the
                rule's name.
  journal       Follow the journal of a running server, or export it.
  openapi       Print the OpenAPI document.
  proxy-config  Configure a proxy in front of several servers.
  readings      List the ambiguities of the API reference and their possible
                readings.
  routes        List every endpoint.
  rules         List or remove the rules of a running server's sandbox.
  run           Run a program against a private mock, and report what it did
                there.
  scenarios     List, check and write scenarios, and change the one of a
                running server.
  serve         Serve the API until Ctrl-C.
  shrink        Find the few faults that make a program fail under a scenario.
  state         Save, load or reset the world of a running server's sandbox.
  sweep         Run a program once for every fault at every call, and judge
                the outcome.
  sweep-merge   Merge the reports of a sweep's shards.
""",
    100: """\
Usage: cnx-mock [OPTIONS] COMMAND [ARGS]...

  A local sandbox of the CloudNexus API that fails when you ask it to.

  Examples:
    cnx-mock serve
    cnx-mock serve --scenario flaky-network --seed 7
    cnx-mock run --scenario lost-response -- ./deploy.sh
    cnx-mock scenarios check my-story.yaml
    cnx-mock sweep -- python deploy.py
    cnx-mock routes
    cnx-mock audit

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
  audit         Report how well a client behaved, from a server's journal.
  ca            Show or renew the local certificate authority (CA).
  clock         Read or move the clock of a running server's sandbox.
  completion    Print a completion script.
  demo          Show clients side by side while something goes wrong, and what it costs.
  env           Print the environment variables with which programs use a running server.
  fixtures      List, show and check fixtures: worlds to start from.
  inject        Add a fault to a running server's sandbox, and print the rule's name.
  journal       Follow the journal of a running server, or export it.
  openapi       Print the OpenAPI document.
  proxy-config  Configure a proxy in front of several servers.
  readings      List the ambiguities of the API reference and their possible readings.
  routes        List every endpoint.
  rules         List or remove the rules of a running server's sandbox.
  run           Run a program against a private mock, and report what it did there.
  scenarios     List, check and write scenarios, and change the one of a running server.
  serve         Serve the API until Ctrl-C.
  shrink        Find the few faults that make a program fail under a scenario.
  state         Save, load or reset the world of a running server's sandbox.
  sweep         Run a program once for every fault at every call, and judge the outcome.
  sweep-merge   Merge the reports of a sweep's shards.
""",
}
