/* http_int.h - what libcurl calls while an answer comes */
#ifndef DISTRIBUTION_HTTP_INT_H
#define DISTRIBUTION_HTTP_INT_H

#include "distribution/http.h"

/* http_answer.c: in libcurl's words (CURLOPT_HEADERFUNCTION, CURLOPT_WRITEFUNCTION); arg: the call, which is `refused` with
 * its reason where they return less than they were given. */
size_t http_on_header(char *data, size_t size, size_t n, void *arg);
size_t http_on_body(char *data, size_t size, size_t n, void *arg);
void http_head_done(struct http_head *h);

#endif
