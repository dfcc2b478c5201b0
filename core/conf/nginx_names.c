/*
 * nginx_names.c - the directives and variables of nginx's documented modules: what Weir has, plans, does not have, or
 * takes without an effect.
 *
 * The one place for these facts.  The parser asks it about names that are in no row, `weir -h` and the manual say it to
 * people; t/unit/conf/nginx_names.c compares it with the rows.  Constant; nothing is allocated.
 */
#include "conf/nginx_names.h"

#include "base/array.h"

#include <string.h>

/* A name in a group is a whole word; names of variables begin with '$', and those that end with '_' are prefixes. */
static const nginx_group_t nginx_groups[] = {
    { "core", NGINX_HERE, 0, NULL, "",
      "daemon env error_log events include master_process multi_accept pcre_jit pid use user worker_connections "
      "worker_cpu_affinity worker_priority worker_processes worker_rlimit_core worker_rlimit_nofile "
      "worker_shutdown_timeout working_directory $pid $nginx_version $hostname $connection $msec $pipe "
      "$time_iso8601 $time_local" },
    { "core", NGINX_TAKEN, WEIR_IN_EVENTS, NULL, "Tunes a mechanism of nginx that Weir does not have.",
      "accept_mutex accept_mutex_delay debug_connection epoll_events worker_aio_requests" },
    { "core", NGINX_TAKEN, WEIR_IN_MAIN, NULL, "Tunes a mechanism of nginx that Weir does not have.",
      "debug_points lock_file ssl_object_cache_inheritable thread_pool timer_resolution" },
    { "core", NGINX_NOT, 0, NULL, "",
      "ssl_engine" },
    { "core", NGINX_TAKEN, WEIR_IN_MAIN, NULL,
      "Modules of nginx are not loaded; their directives are told of where they stand.",
      "load_module" },
    { "http_core", NGINX_HERE, 0, NULL, "",
      "absolute_redirect alias chunked_transfer_encoding client_body_buffer_size client_body_in_file_only "
      "client_body_temp_path client_body_timeout client_header_buffer_size client_header_timeout "
      "client_max_body_size default_type error_page etag http if_modified_since ignore_invalid_headers internal "
      "keepalive_requests keepalive_time keepalive_timeout large_client_header_buffers limit_except limit_rate "
      "limit_rate_after lingering_close lingering_time lingering_timeout listen location log_not_found "
      "log_subrequest max_headers max_ranges merge_slashes port_in_redirect recursive_error_pages "
      "reset_timedout_connection resolver resolver_timeout root satisfy send_timeout sendfile sendfile_max_chunk "
      "server server_name server_name_in_redirect server_tokens tcp_nodelay tcp_nopush try_files types "
      "underscores_in_headers $arg_ $args $binary_remote_addr $body_bytes_sent $bytes_sent $connection_requests "
      "$connection_time $content_length $content_type $cookie_ $document_root $document_uri $host $http_ $https "
      "$is_args $is_request_port $limit_rate $proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr "
      "$proxy_protocol_server_port $proxy_protocol_tlv_ $query_string $realpath_root $remote_addr $remote_port "
      "$remote_user $request $request_body $request_body_file $request_completion $request_filename $request_id "
      "$request_length $request_method $request_port $request_time $request_uri $scheme $sent_http_ $sent_trailer_ "
      "$server_addr $server_name $server_port $server_protocol $status $tcpinfo_rcv_space $tcpinfo_rtt "
      "$tcpinfo_rttvar $tcpinfo_snd_cwnd $uri" },
    { "http_core", NGINX_PLANNED, WEIR_IN_ANY, "off", "",
      "disable_symlinks" },
    { "http_core", NGINX_PLANNED, 0, NULL, "",
      "auth_delay early_hints" },
    { "http_core", NGINX_TAKEN, WEIR_IN_ANY, NULL, "For browsers that are gone.",
      "keepalive_disable msie_padding msie_refresh" },
    { "http_core", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Tables are as large as they need to be.",
      "server_names_hash_bucket_size server_names_hash_max_size types_hash_bucket_size types_hash_max_size "
      "variables_hash_bucket_size variables_hash_max_size" },
    { "http_core", NGINX_TAKEN, WEIR_IN_ANY, NULL,
      "Weir closes an idle connection only at its timeout or when it must leave.",
      "keepalive_min_timeout" },
    { "http_core", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Weir opens and reads files in its own way.",
      "aio aio_write directio directio_alignment open_file_cache open_file_cache_errors open_file_cache_events "
      "open_file_cache_min_uses open_file_cache_valid read_ahead" },
    { "http_core", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Weir sizes its own buffers.",
      "client_body_in_single_buffer connection_pool_size output_buffers postpone_output request_pool_size "
      "send_lowat subrequest_output_buffer_size" },
    { "http_core", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "post_action" },
    { "http_core", NGINX_NOT, 0, NULL, "",
      "limit_zone" },
    { "http_access", NGINX_HERE, 0, NULL, "",
      "allow deny" },
    { "http_acme", NGINX_PLANNED, 0, NULL, "Certificates from an authority come later.",
      "acme_certificate acme_issuer acme_shared_zone" },
    { "http_acme", NGINX_PLANNED, 0, NULL, "",
      "$acme_certificate $acme_certificate_key" },
    { "http_addition", NGINX_NOT, 0, NULL, "",
      "add_after_body add_before_body addition_types" },
    { "http_api", NGINX_HERE, 0, NULL, "",
      "status_zone" },
    { "http_api", NGINX_NOT, 0, NULL, "status and prometheus tell what it tells.",
      "api" },
    { "http_auth_basic", NGINX_HERE, 0, NULL, "",
      "auth_basic auth_basic_user_file" },
    { "http_auth_jwt", NGINX_HERE, 0, NULL, "",
      "auth_jwt auth_jwt_claim_set auth_jwt_header_set auth_jwt_key_cache auth_jwt_key_file auth_jwt_key_request "
      "auth_jwt_leeway auth_jwt_require auth_jwt_type" },
    { "http_auth_jwt", NGINX_HERE, 0, NULL, "",
      "$jwt_claim_ $jwt_header_ $jwt_payload" },
    { "http_auth_request", NGINX_HERE, 0, NULL, "",
      "auth_request auth_request_set" },
    { "http_autoindex", NGINX_HERE, 0, NULL, "",
      "autoindex autoindex_exact_size autoindex_format autoindex_localtime" },
    { "http_browser", NGINX_NOT, 0, NULL, "",
      "ancient_browser ancient_browser_value modern_browser modern_browser_value" },
    { "http_browser", NGINX_NOT, 0, NULL, "",
      "$ancient_browser $modern_browser $msie" },
    { "http_charset", NGINX_HERE, 0, NULL, "",
      "charset charset_types override_charset" },
    { "http_charset", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "source_charset" },
    { "http_charset", NGINX_NOT, 0, NULL, "",
      "charset_map" },
    { "http_dav", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no dav_methods yet, so it does nothing.",
      "create_full_put_path dav_access min_delete_depth" },
    { "http_dav", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "dav_methods" },
    { "http_empty_gif", NGINX_HERE, 0, NULL, "",
      "empty_gif" },
    { "http_f4f", NGINX_NOT, 0, NULL, "",
      "f4f f4f_buffer_size" },
    { "http_fastcgi", NGINX_PLANNED, WEIR_IN_ANY, "off", "",
      "fastcgi_store" },
    { "http_fastcgi", NGINX_PLANNED, 0, NULL, "",
      "fastcgi_pass" },
    { "http_fastcgi", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no fastcgi_pass yet, so it does nothing.",
      "fastcgi_allow_upstream fastcgi_bind fastcgi_buffer_size fastcgi_buffering fastcgi_buffers "
      "fastcgi_busy_buffers_size fastcgi_cache fastcgi_cache_background_update fastcgi_cache_bypass "
      "fastcgi_cache_key fastcgi_cache_lock fastcgi_cache_lock_age fastcgi_cache_lock_timeout "
      "fastcgi_cache_max_range_offset fastcgi_cache_methods fastcgi_cache_min_uses fastcgi_cache_path "
      "fastcgi_cache_purge fastcgi_cache_revalidate fastcgi_cache_use_stale fastcgi_cache_valid "
      "fastcgi_catch_stderr fastcgi_connect_timeout fastcgi_force_ranges fastcgi_hide_header "
      "fastcgi_ignore_client_abort fastcgi_ignore_headers fastcgi_index fastcgi_intercept_errors fastcgi_keep_conn "
      "fastcgi_limit_rate fastcgi_max_temp_file_size fastcgi_next_upstream fastcgi_next_upstream_timeout "
      "fastcgi_next_upstream_tries fastcgi_no_cache fastcgi_param fastcgi_pass_header fastcgi_pass_request_body "
      "fastcgi_pass_request_headers fastcgi_read_timeout fastcgi_request_buffering fastcgi_request_dynamic "
      "fastcgi_send_lowat fastcgi_send_timeout fastcgi_socket_keepalive fastcgi_split_path_info "
      "fastcgi_store_access fastcgi_temp_file_write_size fastcgi_temp_path" },
    { "http_fastcgi", NGINX_PLANNED, 0, NULL, "",
      "$fastcgi_path_info $fastcgi_script_name" },
    { "http_flv", NGINX_NOT, 0, NULL, "",
      "flv" },
    { "http_geo", NGINX_HERE, 0, NULL, "",
      "geo" },
    { "http_geoip", NGINX_TAKEN, WEIR_IN_HTTP, NULL,
      "There is no geoip_country or geoip_city, so it does nothing.",
      "geoip_proxy geoip_proxy_recursive" },
    { "http_geoip", NGINX_NOT, 0, NULL, "nginx calls it outdated; use geo with files.",
      "geoip_city geoip_country geoip_org" },
    { "http_geoip", NGINX_NOT, 0, NULL, "",
      "$geoip_area_code $geoip_city $geoip_city_continent_code $geoip_city_country_code $geoip_city_country_code3 "
      "$geoip_city_country_name $geoip_country_code $geoip_country_code3 $geoip_country_name $geoip_dma_code "
      "$geoip_latitude $geoip_longitude $geoip_org $geoip_postal_code $geoip_region $geoip_region_name" },
    { "http_grpc", NGINX_HERE, 0, NULL, "",
      "grpc_bind grpc_buffer_size grpc_connect_timeout grpc_hide_header grpc_ignore_headers grpc_intercept_errors "
      "grpc_next_upstream grpc_next_upstream_timeout grpc_next_upstream_tries grpc_pass grpc_pass_header "
      "grpc_read_timeout grpc_send_timeout grpc_set_header grpc_socket_keepalive grpc_ssl_certificate "
      "grpc_ssl_certificate_cache grpc_ssl_certificate_key grpc_ssl_ciphers grpc_ssl_conf_command grpc_ssl_crl "
      "grpc_ssl_name grpc_ssl_password_file grpc_ssl_protocols grpc_ssl_server_name grpc_ssl_session_reuse "
      "grpc_ssl_trusted_certificate grpc_ssl_verify grpc_ssl_verify_depth" },
    { "http_grpc", NGINX_NOT, 0, NULL, "",
      "grpc_allow_upstream grpc_request_dynamic grpc_ssl_key_log" },
    { "http_gunzip", NGINX_PLANNED, WEIR_IN_ANY, "off", "",
      "gunzip" },
    { "http_gunzip", NGINX_PLANNED, 0, NULL, "",
      "gunzip_force" },
    { "http_gunzip", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Weir sizes its own buffers.",
      "gunzip_buffers" },
    { "http_gzip", NGINX_HERE, 0, NULL, "",
      "gzip gzip_buffers gzip_comp_level gzip_disable gzip_http_version gzip_min_length gzip_proxied gzip_types "
      "gzip_vary $gzip_ratio" },
    { "http_gzip", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Weir sizes its own buffers.",
      "gzip_hash gzip_no_buffer gzip_window postpone_gzipping" },
    { "http_gzip_static", NGINX_HERE, 0, NULL, "",
      "gzip_static" },
    { "http_headers", NGINX_HERE, 0, NULL, "",
      "add_header add_trailer expires" },
    { "http_headers", NGINX_PLANNED, 0, NULL, "",
      "add_header_inherit add_trailer_inherit" },
    { "http_hls", NGINX_NOT, 0, NULL, "",
      "hls hls_buffers hls_forward_args hls_fragment hls_mp4_buffer_size hls_mp4_max_buffer_size" },
    { "http_image_filter", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no image_filter, so it does nothing.",
      "image_filter_buffer image_filter_interlace image_filter_jpeg_quality image_filter_sharpen "
      "image_filter_transparency image_filter_webp_quality" },
    { "http_image_filter", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "image_filter" },
    { "http_index", NGINX_HERE, 0, NULL, "",
      "index" },
    { "http_internal_redirect", NGINX_PLANNED, 0, NULL, "",
      "internal_redirect" },
    { "http_js", NGINX_NOT, 0, NULL, "Weir has no interpreter in it.",
      "js_access js_access_filter js_body_filter js_content js_context_reuse js_context_reuse_max_size js_engine "
      "js_fetch_buffer_size js_fetch_ciphers js_fetch_keepalive js_fetch_keepalive_requests js_fetch_keepalive_time "
      "js_fetch_keepalive_timeout js_fetch_max_response_buffer_size js_fetch_protocols js_fetch_proxy "
      "js_fetch_timeout js_fetch_trusted_certificate js_fetch_verify js_fetch_verify_depth js_filter "
      "js_header_filter js_import js_include js_load_http_native_module js_load_stream_native_module js_path "
      "js_periodic js_preload_object js_preread js_set js_shared_dict_zone js_var" },
    { "http_keyval", NGINX_PLANNED, 0, NULL, "",
      "keyval keyval_zone" },
    { "http_limit_conn", NGINX_HERE, 0, NULL, "",
      "limit_conn limit_conn_dry_run limit_conn_log_level limit_conn_status limit_conn_zone $limit_conn_status" },
    { "http_limit_req", NGINX_HERE, 0, NULL, "",
      "limit_req limit_req_dry_run limit_req_log_level limit_req_status limit_req_zone $limit_req_status" },
    { "http_log", NGINX_HERE, 0, NULL, "",
      "access_log log_format open_log_file_cache" },
    { "http_map", NGINX_HERE, 0, NULL, "",
      "map" },
    { "http_map", NGINX_TAKEN, WEIR_IN_HTTP, NULL, "Tables are as large as they need to be.",
      "map_hash_bucket_size map_hash_max_size" },
    { "http_memcached", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no memcached_pass yet, so it does nothing.",
      "memcached_allow_upstream memcached_bind memcached_buffer_size memcached_connect_timeout memcached_gzip_flag "
      "memcached_next_upstream memcached_next_upstream_timeout memcached_next_upstream_tries memcached_read_timeout "
      "memcached_send_timeout memcached_socket_keepalive" },
    { "http_memcached", NGINX_NOT, 0, NULL, "",
      "memcached_pass" },
    { "http_memcached", NGINX_NOT, 0, NULL, "",
      "$memcached_key" },
    { "http_mirror", NGINX_HERE, 0, NULL, "",
      "mirror mirror_request_body" },
    { "http_mp4", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no mp4, so it does nothing.",
      "mp4_buffer_size mp4_max_buffer_size" },
    { "http_mp4", NGINX_NOT, 0, NULL, "",
      "mp4 mp4_limit_rate mp4_limit_rate_after mp4_start_key_frame" },
    { "http_num_map", NGINX_NOT, 0, NULL, "",
      "num_map num_map_hash_bucket_size num_map_hash_max_size" },
    { "http_oidc", NGINX_HERE, 0, NULL, "",
      "auth_oidc oidc_provider $oidc_access_token $oidc_claim_ $oidc_id_token" },
    { "http_perl", NGINX_NOT, 0, NULL, "Weir has no interpreter in it.",
      "perl perl_modules perl_require perl_set" },
    { "http_proxy", NGINX_HERE, 0, NULL, "",
      "proxy_bind proxy_buffer_size proxy_buffering proxy_buffers proxy_connect_timeout proxy_cookie_domain "
      "proxy_cookie_flags proxy_cookie_path proxy_force_ranges proxy_hide_header proxy_http_version "
      "proxy_ignore_client_abort proxy_ignore_headers proxy_intercept_errors proxy_limit_rate "
      "proxy_max_temp_file_size proxy_method proxy_next_upstream proxy_next_upstream_timeout "
      "proxy_next_upstream_tries proxy_pass proxy_pass_header proxy_pass_request_body proxy_pass_request_headers "
      "proxy_pass_trailers proxy_read_timeout proxy_redirect proxy_request_buffering proxy_send_timeout proxy_set_body "
      "proxy_set_header "
      "proxy_socket_keepalive proxy_ssl_certificate proxy_ssl_certificate_cache proxy_ssl_certificate_key "
      "proxy_ssl_ciphers proxy_ssl_conf_command proxy_ssl_crl proxy_ssl_name proxy_ssl_password_file "
      "proxy_ssl_protocols proxy_ssl_server_name proxy_ssl_session_reuse proxy_ssl_trusted_certificate "
      "proxy_ssl_verify proxy_ssl_verify_depth proxy_temp_path $proxy_host $proxy_port $proxy_add_x_forwarded_for" },
    { "http_proxy", NGINX_PLANNED, WEIR_IN_ANY, "off", "A cache of answers comes later.",
      "proxy_cache proxy_store" },
    { "http_proxy", NGINX_PLANNED, 0, NULL, "",
      "proxy_allow_upstream proxy_request_dynamic proxy_ssl_alpn proxy_ssl_key_log" },
    { "http_proxy", NGINX_PLANNED, 0, NULL, "A cache of answers comes later.",
      "proxy_cache_path" },
    { "http_proxy", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Nothing is cached or stored yet.",
      "proxy_cache_background_update proxy_cache_bypass proxy_cache_convert_head proxy_cache_key proxy_cache_lock "
      "proxy_cache_lock_age proxy_cache_lock_timeout proxy_cache_max_range_offset proxy_cache_methods "
      "proxy_cache_min_uses proxy_cache_purge proxy_cache_revalidate proxy_cache_use_stale proxy_cache_valid "
      "proxy_no_cache proxy_store_access" },
    { "http_proxy", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Tables are as large as they need to be.",
      "proxy_headers_hash_bucket_size proxy_headers_hash_max_size" },
    { "http_proxy", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Weir sizes its own buffers.",
      "proxy_busy_buffers_size proxy_send_lowat proxy_temp_file_write_size" },
    { "http_proxy", NGINX_NOT, 0, NULL, "",
      "$proxy_internal_body_length $proxy_internal_chunked" },
    { "http_random_index", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "random_index" },
    { "http_realip", NGINX_HERE, 0, NULL, "",
      "real_ip_header real_ip_recursive set_real_ip_from $realip_remote_addr $realip_remote_port" },
    { "http_referer", NGINX_PLANNED, 0, NULL, "",
      "valid_referers" },
    { "http_referer", NGINX_TAKEN, WEIR_IN_ANY, NULL, "Tables are as large as they need to be.",
      "referer_hash_bucket_size referer_hash_max_size" },
    { "http_referer", NGINX_PLANNED, 0, NULL, "",
      "$invalid_referer" },
    { "http_rewrite", NGINX_HERE, 0, NULL, "",
      "break if return rewrite rewrite_log set uninitialized_variable_warn" },
    { "http_scgi", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no scgi_pass yet, so it does nothing.",
      "scgi_allow_upstream scgi_bind scgi_buffer_size scgi_buffering scgi_buffers scgi_busy_buffers_size scgi_cache "
      "scgi_cache_background_update scgi_cache_bypass scgi_cache_key scgi_cache_lock scgi_cache_lock_age "
      "scgi_cache_lock_timeout scgi_cache_max_range_offset scgi_cache_methods scgi_cache_min_uses scgi_cache_path "
      "scgi_cache_purge scgi_cache_revalidate scgi_cache_use_stale scgi_cache_valid scgi_connect_timeout "
      "scgi_force_ranges scgi_hide_header scgi_ignore_client_abort scgi_ignore_headers scgi_intercept_errors "
      "scgi_limit_rate scgi_max_temp_file_size scgi_next_upstream scgi_next_upstream_timeout "
      "scgi_next_upstream_tries scgi_no_cache scgi_param scgi_pass_header scgi_pass_request_body "
      "scgi_pass_request_headers scgi_read_timeout scgi_request_buffering scgi_request_dynamic scgi_send_timeout "
      "scgi_socket_keepalive scgi_store_access scgi_temp_file_write_size scgi_temp_path" },
    { "http_scgi", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "scgi_store" },
    { "http_scgi", NGINX_NOT, 0, NULL, "",
      "scgi_pass" },
    { "http_secure_link", NGINX_PLANNED, 0, NULL, "",
      "secure_link secure_link_md5 secure_link_secret" },
    { "http_secure_link", NGINX_PLANNED, 0, NULL, "",
      "$secure_link $secure_link_expires" },
    { "http_session_log", NGINX_NOT, 0, NULL, "",
      "session_log session_log_format session_log_zone" },
    { "http_session_log", NGINX_NOT, 0, NULL, "",
      "$session_log_binary_id $session_log_id" },
    { "http_slice", NGINX_PLANNED, WEIR_IN_ANY, "0", "Comes with the cache.",
      "slice" },
    { "http_slice", NGINX_PLANNED, 0, NULL, "",
      "$slice_range" },
    { "http_split_clients", NGINX_HERE, 0, NULL, "",
      "split_clients" },
    { "http_ssi", NGINX_PLANNED, WEIR_IN_ANY, "off", "",
      "ssi" },
    { "http_ssi", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no ssi yet, so it does nothing.",
      "ssi_ignore_recycled_buffers ssi_last_modified ssi_min_file_chunk ssi_silent_errors ssi_types ssi_value_length" },
    { "http_ssi", NGINX_PLANNED, 0, NULL, "",
      "$date_gmt $date_local" },
    { "http_ssl", NGINX_HERE, 0, NULL, "",
      "ssl ssl_buffer_size ssl_certificate ssl_certificate_cache ssl_certificate_key ssl_ciphers "
      "ssl_client_certificate ssl_conf_command ssl_crl ssl_dhparam ssl_early_data ssl_ecdh_curve ssl_ocsp "
      "ssl_ocsp_cache ssl_ocsp_responder ssl_password_file ssl_prefer_server_ciphers ssl_protocols "
      "ssl_reject_handshake ssl_session_cache ssl_session_ticket_key ssl_session_tickets ssl_session_timeout "
      "ssl_stapling ssl_stapling_file ssl_stapling_responder ssl_stapling_verify ssl_trusted_certificate "
      "ssl_verify_client ssl_verify_depth $ssl_alpn_protocol $ssl_cipher $ssl_ciphers $ssl_client_cert "
      "$ssl_client_escaped_cert $ssl_client_fingerprint $ssl_client_i_dn $ssl_client_i_dn_legacy "
      "$ssl_client_raw_cert $ssl_client_s_dn $ssl_client_s_dn_legacy $ssl_client_serial $ssl_client_v_end "
      "$ssl_client_v_remain $ssl_client_v_start $ssl_client_verify $ssl_curve $ssl_curves $ssl_early_data "
      "$ssl_protocol $ssl_server_name $ssl_session_id $ssl_session_reused $ssl_sigalg" },
    { "http_ssl", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "ssl_ech_file" },
    { "http_ssl", NGINX_TAKEN, WEIR_IN_ANY, NULL,
      "The OpenSSL that distributions ship cannot compress certificates; clients get them as they are.",
      "ssl_certificate_compression" },
    { "http_ssl", NGINX_NOT, 0, NULL, "",
      "ssl_alpn ssl_key_log" },
    { "http_ssl", NGINX_PLANNED, 0, NULL, "",
      "$ssl_client_sigalg $ssl_ech_outer_server_name $ssl_ech_status" },
    { "http_status", NGINX_NOT, 0, NULL,
      "nginx itself removed it; the status of Weir is another directive.",
      "status status_format" },
    { "http_stub_status", NGINX_HERE, 0, NULL, "",
      "stub_status $connections_active $connections_reading $connections_waiting $connections_writing" },
    { "http_sub", NGINX_PLANNED, 0, NULL, "",
      "sub_filter" },
    { "http_sub", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no sub_filter yet, so it does nothing.",
      "sub_filter_last_modified sub_filter_once sub_filter_types" },
    { "http_upstream", NGINX_HERE, 0, NULL, "",
      "keepalive keepalive_requests keepalive_time keepalive_timeout least_time random resolver "
      "resolver_timeout server sticky upstream zone "
      "$upstream_addr $upstream_bytes_received $upstream_bytes_sent $upstream_connect_time $upstream_cookie_ "
      "$upstream_header_time $upstream_http_ $upstream_response_length $upstream_response_time $upstream_status "
      "$upstream_trailer_" },
    { "http_upstream", NGINX_PLANNED, 0, NULL, "Comes with the balancers and health checks.",
      "ntlm queue state sticky_cookie_insert" },
    { "http_upstream", NGINX_PLANNED, 0, NULL, "",
      "$upstream_cache_age $upstream_cache_key $upstream_cache_last_modified $upstream_cache_status "
      "$upstream_last_addr $upstream_last_server_name $upstream_queue_time" },
    { "http_upstream_conf", NGINX_NOT, 0, NULL, "nginx itself removed it.",
      "upstream_conf" },
    { "http_upstream_hc", NGINX_HERE, 0, NULL, "",
      "health_check match" },
    { "http_userid", NGINX_NOT, WEIR_IN_ANY, "off", "",
      "userid" },
    { "http_userid", NGINX_NOT, 0, NULL, "",
      "userid_domain userid_expires userid_flags userid_mark userid_name userid_p3p userid_path userid_service" },
    { "http_userid", NGINX_NOT, 0, NULL, "",
      "$uid_got $uid_reset $uid_set" },
    { "http_uwsgi", NGINX_PLANNED, WEIR_IN_ANY, "off", "",
      "uwsgi_store" },
    { "http_uwsgi", NGINX_PLANNED, 0, NULL, "",
      "uwsgi_pass" },
    { "http_uwsgi", NGINX_TAKEN, WEIR_IN_ANY, NULL, "There is no uwsgi_pass yet, so it does nothing.",
      "uwsgi_allow_upstream uwsgi_bind uwsgi_buffer_size uwsgi_buffering uwsgi_buffers uwsgi_busy_buffers_size "
      "uwsgi_cache uwsgi_cache_background_update uwsgi_cache_bypass uwsgi_cache_key uwsgi_cache_lock "
      "uwsgi_cache_lock_age uwsgi_cache_lock_timeout uwsgi_cache_max_range_offset uwsgi_cache_methods "
      "uwsgi_cache_min_uses uwsgi_cache_path uwsgi_cache_purge uwsgi_cache_revalidate uwsgi_cache_use_stale "
      "uwsgi_cache_valid uwsgi_connect_timeout uwsgi_force_ranges uwsgi_hide_header uwsgi_ignore_client_abort "
      "uwsgi_ignore_headers uwsgi_intercept_errors uwsgi_limit_rate uwsgi_max_temp_file_size uwsgi_modifier1 "
      "uwsgi_modifier2 uwsgi_next_upstream uwsgi_next_upstream_timeout uwsgi_next_upstream_tries uwsgi_no_cache "
      "uwsgi_param uwsgi_pass_header uwsgi_pass_request_body uwsgi_pass_request_headers uwsgi_read_timeout "
      "uwsgi_request_buffering uwsgi_request_dynamic uwsgi_send_timeout uwsgi_socket_keepalive "
      "uwsgi_ssl_certificate uwsgi_ssl_certificate_cache uwsgi_ssl_certificate_key uwsgi_ssl_ciphers "
      "uwsgi_ssl_conf_command uwsgi_ssl_crl uwsgi_ssl_key_log uwsgi_ssl_name uwsgi_ssl_password_file "
      "uwsgi_ssl_protocols uwsgi_ssl_server_name uwsgi_ssl_session_reuse uwsgi_ssl_trusted_certificate "
      "uwsgi_ssl_verify uwsgi_ssl_verify_depth uwsgi_store_access uwsgi_string "
      "uwsgi_temp_file_write_size uwsgi_temp_path" },
    { "http_v2", NGINX_HERE, 0, NULL, "",
      "http2 http2_body_preread_size http2_chunk_size http2_max_concurrent_streams" },
    { "http_v2", NGINX_TAKEN, WEIR_IN_ANY, NULL, "nginx itself removed it or no longer uses it.",
      "http2_idle_timeout http2_max_concurrent_pushes http2_max_field_size http2_max_header_size http2_max_requests "
      "http2_pool_size http2_push http2_push_preload http2_recv_buffer_size http2_recv_timeout "
      "http2_streams_index_size" },
    { "http_v2", NGINX_PLANNED, 0, NULL, "",
      "$http2" },
    { "http_v3", NGINX_PLANNED, WEIR_IN_ANY, "off", "HTTP/3 comes later.",
      "http3" },
    { "http_v3", NGINX_TAKEN, WEIR_IN_ANY|WEIR_IN_MAIN, NULL, "There is no HTTP/3 yet, so it does nothing.",
      "http3_hq http3_max_concurrent_streams http3_stream_buffer_size quic_active_connection_id_limit quic_bpf "
      "quic_gso quic_host_key quic_retry" },
    { "http_v3", NGINX_PLANNED, 0, NULL, "",
      "$http3 $quic_connection" },
    { "http_xslt", NGINX_NOT, 0, NULL, "",
      "xml_entities xslt_last_modified xslt_param xslt_string_param xslt_stylesheet xslt_types" },
    { "google_perftools", NGINX_TAKEN, WEIR_IN_MAIN, NULL, "Tunes a mechanism of nginx that Weir does not have.",
      "google_perftools_profiles" },
    { "mgmt", NGINX_NOT, 0, NULL, "The state_path of Weir is another directive.",
      "mgmt state_path usage_report" },
    { "otel", NGINX_PLANNED, 0, NULL, "Traces come later.",
      "otel_exporter otel_service_name otel_span_attr otel_span_name otel_trace otel_trace_context" },
    { "otel", NGINX_PLANNED, 0, NULL, "",
      "$otel_parent_id $otel_parent_sampled $otel_span_id $otel_trace_id" },
    { "stream", NGINX_PLANNED, 0, NULL, "TCP and UDP come later.",
      "access_log allow deny geo geoip_city geoip_country geoip_org hash health_check health_check_timeout "
      "js_access js_filter js_preread keyval keyval_zone least_conn least_time limit_conn limit_conn_dry_run "
      "limit_conn_log_level limit_conn_zone listen log_format map map_hash_bucket_size map_hash_max_size match mqtt "
      "mqtt_buffers mqtt_preread mqtt_rewrite_buffer_size mqtt_set_connect open_log_file_cache pass "
      "preread_buffer_size preread_timeout proxy_bind proxy_buffer_size proxy_connect_timeout proxy_download_rate "
      "proxy_half_close proxy_next_upstream proxy_next_upstream_timeout proxy_next_upstream_tries proxy_pass "
      "proxy_protocol proxy_protocol_timeout proxy_requests proxy_responses proxy_session_drop "
      "proxy_socket_keepalive proxy_ssl proxy_ssl_certificate proxy_ssl_certificate_cache proxy_ssl_certificate_key "
      "proxy_ssl_ciphers proxy_ssl_conf_command proxy_ssl_crl proxy_ssl_key_log proxy_ssl_name "
      "proxy_ssl_password_file proxy_ssl_protocols proxy_ssl_server_name proxy_ssl_session_reuse "
      "proxy_ssl_trusted_certificate proxy_ssl_verify proxy_ssl_verify_depth proxy_timeout proxy_upload_rate random "
      "resolver resolver_timeout return server server_name server_names_hash_bucket_size server_names_hash_max_size "
      "set set_real_ip_from split_clients ssl_alpn ssl_certificate ssl_certificate_key ssl_ciphers "
      "ssl_client_certificate ssl_conf_command ssl_crl ssl_dhparam ssl_ecdh_curve ssl_handshake_timeout ssl_ocsp "
      "ssl_ocsp_cache ssl_ocsp_responder ssl_password_file ssl_prefer_server_ciphers ssl_preread ssl_protocols "
      "ssl_reject_handshake ssl_session_cache ssl_session_ticket_key ssl_session_tickets ssl_session_timeout "
      "ssl_stapling ssl_stapling_file ssl_stapling_responder ssl_stapling_verify ssl_trusted_certificate "
      "ssl_verify_client ssl_verify_depth status_zone stream tcp_nodelay upstream variables_hash_bucket_size "
      "variables_hash_max_size zone zone_sync zone_sync_buffers zone_sync_connect_retry_interval "
      "zone_sync_connect_timeout zone_sync_interval zone_sync_recv_buffer_size zone_sync_server zone_sync_ssl "
      "zone_sync_ssl_certificate zone_sync_ssl_certificate_key zone_sync_ssl_ciphers zone_sync_ssl_conf_command "
      "zone_sync_ssl_crl zone_sync_ssl_name zone_sync_ssl_password_file zone_sync_ssl_protocols "
      "zone_sync_ssl_server_name zone_sync_ssl_trusted_certificate zone_sync_ssl_verify zone_sync_ssl_verify_depth "
      "zone_sync_timeout" },
    { "stream", NGINX_PLANNED, 0, NULL, "",
      "$binary_remote_addr $bytes_received $bytes_sent $connection $hostname $msec $nginx_version $pid $protocol "
      "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port "
      "$proxy_protocol_tlv_ $remote_addr $remote_port $server_addr $server_port $session_time "
      "$ssl_preread_alpn_protocols $ssl_preread_protocol $ssl_preread_server_name $status $time_iso8601 $time_local "
      "$upstream_addr $upstream_bytes_received $upstream_bytes_sent $upstream_connect_time "
      "$upstream_first_byte_time $upstream_session_time" },
    { "mail", NGINX_NOT, 0, NULL, "Weir is no proxy for mail.",
      "auth_http auth_http_header auth_http_pass_client_cert auth_http_timeout imap_auth imap_capabilities "
      "imap_client_buffer listen mail max_errors pop3_auth pop3_capabilities protocol proxy proxy_buffer "
      "proxy_pass_error_message proxy_protocol proxy_smtp_auth proxy_timeout resolver resolver_timeout server "
      "server_name smtp_auth smtp_capabilities smtp_client_buffer smtp_greeting_delay ssl_certificate "
      "ssl_certificate_key ssl_ciphers ssl_client_certificate ssl_conf_command ssl_crl ssl_dhparam ssl_ecdh_curve "
      "ssl_password_file ssl_prefer_server_ciphers ssl_protocols ssl_session_cache ssl_session_ticket_key "
      "ssl_session_tickets ssl_session_timeout ssl_trusted_certificate ssl_verify_client ssl_verify_depth starttls "
      "timeout xclient" },
    { .module = NULL },
};

const nginx_group_t *
weir_conf_nginx_groups(void)
{
    return nginx_groups;
}

bool
weir_conf_nginx_is_rows_own(const nginx_group_t *group)
{
    /* `status` and `state_path` are Weir's own, too */
    static const char *const others[] = { "stream", "mail", "http_status", "mgmt" };

    for (size_t i = 0; i < weir_countof(others); i++) {
        if (strcmp(group->module, others[i]) == 0) {
            return false;
        }
    }
    return true;
}

bool
weir_conf_nginx_next_name(weir_str_t *rest, weir_str_t *name)
{
    size_t start = 0, end;

    while (start < rest->len && rest->at[start] == ' ') {
        start++;
    }
    for (end = start; end < rest->len && rest->at[end] != ' '; end++) { }
    *name = weir_str(rest->at + start, end - start);
    *rest = weir_str_skip(*rest, end);
    return name->len != 0;
}

static bool
nginx_group_has(const nginx_group_t *group, weir_str_t wanted)
{
    weir_str_t rest = weir_str_from_z(group->names), name;

    while (weir_conf_nginx_next_name(&rest, &name)) {
        if (weir_str_eq(name, wanted)) {
            return true;
        }
    }
    return false;
}

const nginx_group_t *
weir_conf_nginx_find(weir_str_t name, unsigned context)
{
    const nginx_group_t *found = NULL, *group;

    for (group = nginx_groups; group->module != NULL; group++) {
        if (!nginx_group_has(group, name)) {
            continue;
        }
        if (group->where & context) {
            return group;
        }
        found = found != NULL ? found : group;
    }
    return found;
}
