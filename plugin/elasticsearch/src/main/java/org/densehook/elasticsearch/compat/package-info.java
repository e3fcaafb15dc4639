/** All that differs between the Elasticsearch versions this plugin is built for. */
package org.densehook.elasticsearch.compat;
