#!/bin/sh
# Answers git's questions for one host and no other: a submodule or redirect elsewhere gets no token.
case "$1" in
"Username for '$STACKLING_GIT_ORIGIN': ") printf '%s\n' "$STACKLING_GIT_LOGIN" ;;
"Password for '$STACKLING_GIT_LOGIN_ORIGIN': ") printf '%s\n' "$STACKLING_GIT_TOKEN" ;;
*) exit 1 ;;
esac
