/** What every filter of an action is made of. */
package org.densehook.elasticsearch.filter;
