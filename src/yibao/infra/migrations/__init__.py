"""Schema migrations, run by ``yibao.infra.migrate``; never edited after a release."""
