# An operator that is not today's: another renderer, whose pods get a second more to end. Its base is today's image.
ARG BASE=localhost/prewarm-operator:dev
FROM ${BASE}
USER 0
RUN cd "$(python -c 'import prewarm_operator.render; print(*prewarm_operator.render.__path__)')" \
 && sed -i 's/^RENDERER_VERSION = .*/RENDERER_VERSION = "another"/' template.py \
 && sed -i 's/^GRACE_SECONDS = 5$/GRACE_SECONDS = 6/' pod.py \
 && python -m compileall -q template.py pod.py
USER 65532:65532
