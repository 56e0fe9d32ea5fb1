# An image to measure with spotdrain probe (docs/probe.md): nginx on the example's port, which names its task in a header of each
# answer, and spotdrain-hold before it. The build context is this folder with spotdrain-hold in it.
FROM nginx:1.28.0
COPY --chmod=755 spotdrain-hold /usr/local/bin/
COPY web.conf /etc/nginx/conf.d/default.conf
# The image's STOPSIGNAL, which the hold cannot see.
ENV SPOTDRAIN_HOLD_STOP_SIGNAL=QUIT
ENTRYPOINT ["spotdrain-hold", "--", "/docker-entrypoint.sh"]
CMD ["nginx", "-g", "daemon off;"]
