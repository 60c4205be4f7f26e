"""The kinds of Prewarm as models: what users write, what the API server checks, what the operator reads.

`agentdeployment` and `status` hold the models, `names` the identifiers that everything else agrees on. `crd` turns the
models into CustomResourceDefinitions, `reference` into a page for people, and `python -m prewarm_operator.api` writes
both into the repository.
"""
