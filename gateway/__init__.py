"""The shell: HTTP, keys and quotas, queue, worker, webhooks, command line and the wiring of it all."""
